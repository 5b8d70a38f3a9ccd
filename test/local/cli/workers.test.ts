import { expect, test } from 'vitest';
import { defineJob } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { eventually } from '../../eventually.js';
import { echo, Gate } from '../../jobs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

test('workers lists those under way', async () => {
  const gate = new Gate();
  const waiting = defineJob({ name: 'waiting', run: ({ signal }) => gate.pass(signal) });
  const processor = database.processor({ name: 'mailer', maxThreads: 3, queues: ['mail'] });
  await processor.addJobFactory(waiting);
  await processor.addJob('waiting', undefined, { queue: 'mail' });

  expect(await run(['workers'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^No worker is running\..*\n$/),
  });
  processor.startProcessor();
  await eventually(async () => expect(await processor.workers.count()).toBe(1));

  expect((await run(['workers'])).out).toMatch(/\nmailer +3 +(now|\S+ ago) +in \S+ +mail\n$/);
  expect(await json(['workers'])).toMatchObject({ workers: [{ processor: 'mailer', queues: ['mail'] }] });
  const listed = (await processor.jobs.list()).jobs.map(({ id }) => id);
  expect((await run(['running'])).out).toMatch(
    new RegExp(`^JOB +NAME +QUEUE +STARTED\\n${listed[0]} +waiting +mail +(now|\\S+ ago)\\n$`),
  );
  expect((await run(['running', '--limit', '0'])).code).toBe(2);
  gate.open();
});

test('running says that no job is running', async () => {
  expect(await run(['running'])).toMatchObject({ code: 0, out: 'No job is running.\n' });
});

test('factories lists the kinds of jobs, and shows the schema of one', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);

  expect((await run(['factories'])).out).toMatch(/\necho +default +0 +3 +10s +write +an input\n$/);
  expect(await json(['factories'])).toMatchObject({ jobFactories: [{ name: 'echo' }] });
  expect((await run(['factories', 'echo'])).out).toMatch(/\ninput +\{\n.*"type": "object"/s);
  expect(await run(['factories', 'nothing'])).toMatchObject({ code: 3 });
});

test('factories tells the delay between attempts exactly', async () => {
  const doNothing = async () => {};
  const fixed = defineJob({ name: 'fixed', retryDelay: '90m', run: doNothing });
  const growing = defineJob({
    name: 'growing',
    retryDelay: { kind: 'exponential', base: '1500ms', cap: '36h' },
    run: doNothing,
  });
  await database.processor().addJobFactories([fixed, growing]);

  const { out } = await run(['factories']);

  expect(out).toMatch(/\nfixed .* 90m +write +nothing\n/);
  expect(out).toMatch(/\ngrowing .* exponential, 1500ms to 36h +write +nothing\n/);
});
