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

test('kinds are listed and shown with how they fared, and moments are marked', async () => {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing]);
  expect((await run(['kinds'])).out).toBe('No job ended.\n');
  await processor.addJobs([{ name: 'echo', input: {} }, { name: 'failing' }]);
  await processor.drain();

  expect((await run(['kinds', '--range', '24h'])).out).toMatch(
    /^JOB +COMPLETED +FAILED +RATE +RUN P50 .*\nfailing +0 +1 +100\.0% .*\necho +1 +0 /,
  );
  expect(await json(['kinds', 'list', '--limit', '1'])).toMatchObject({
    kinds: [{ jobName: 'failing', counts: { errors: 1 } }],
    kindCount: 2,
  });
  expect((await run(['kinds', 'show', 'failing', '--range', '6h'])).out).toMatch(
    /job +failing\n.*\nfailed +1 .*\nrate +100\.0%\nrun +p50 \d+ms, p95/s,
  );
  expect((await run(['kinds', '--range', '2h'])).code).toBe(2);
  expect((await run(['stats', '--range', '24h'])).out).toMatch(/\nsum +1 +1 /);
  expect((await run(['stats', '--range', '24h', '--since', '1h'])).code).toBe(2);

  expect((await run(['marks'])).out).toBe('Nothing was marked.\n');
  expect((await run(['mark', 'v42'])).out).toMatch(/^v42 is marked at 20\d\d-.*Z\n$/);
  expect((await run(['marks'])).out).toMatch(/^AT +AGO +TEXT +BY\n20.* v42 +admin\n$/);
  expect((await run(['mark', 'v42', '--at', 'soon'])).code).toBe(2);
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
