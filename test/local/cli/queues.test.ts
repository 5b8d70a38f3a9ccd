import { expect, test } from 'vitest';
import { defineJob } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { eventually } from '../../eventually.js';
import { echo, failing } from '../../jobs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

test('queues are listed, paused and resumed', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { queue: 'mail' });
  await processor.addJob('echo', {}, { queue: 'mail', delay: '1h' });

  expect((await run(['queues', 'list'])).out).toMatch(/^QUEUE +READY .+\nmail +1 +1 +(now|\S+ ago)\n$/);
  expect(await json(['queues', 'pause', 'mail'])).toEqual({ name: 'mail', paused: expect.any(String) });
  expect(await processor.processNextJob()).toBe(false);
  expect((await run(['queues', 'resume', 'mail'])).out).toBe('mail is not paused\n');
  await eventually(async () => expect(await processor.processNextJob()).toBe(true));
});

test('stats counts jobs by status, and tells how attempts ended', async () => {
  const processor = database.processor();
  const limited = defineJob({ name: 'later', rateLimit: { limit: 1, period: '2h' }, run: () => {} });
  await processor.addJobFactories([echo, failing, limited]);
  await processor.addJobs([{ name: 'echo', input: {} }, { name: 'later' }, { name: 'failing' }]);
  await processor.drain();
  await processor.addJob('later');
  await processor.drain();
  await processor.addJob('echo', {});

  const { code, out } = await run(['stats', '--since', '10m', '--step', '5m']);

  expect(code).toBe(0);
  expect(out).toMatch(/^queued 2 +processing 0 .*completed 2 +error 1\n/);
  expect(out).toMatch(/\nsum +2 +1 .*\n\ncompleted .*█.*\nerrors .*█/);
  expect(out).toMatch(/\nLIMIT +WAITS +ON AVERAGE\nrate later +1 +2h\n/);
  expect(await json(['stats', '--name', 'failing'])).toMatchObject({
    counts: { completed: { count: 2, isCapped: false } },
    statistics: expect.arrayContaining([expect.objectContaining({ completed: 0, errors: 1 })]),
  });
});
