import { expect, test } from 'vitest';
import { defineJob, RemoteException } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { echo } from '../../jobs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

const webhook = defineJob({
  name: 'webhook',
  run: () => {
    throw new RemoteException('connect ECONNREFUSED 10.0.0.1:443');
  },
});

/** Two jobs that failed alike. */
async function failed() {
  const processor = database.processor();
  await processor.addJobFactories([webhook, echo]);
  for (const id of ['a', 'b']) await processor.addJob(webhook, undefined, { id });
  await processor.drain();
  return processor;
}

test('what failed alike is listed, shown, and retried together', async () => {
  expect((await run(['failures'])).out).toBe('Nothing failed.\n');
  const processor = await failed();
  const { out } = await run(['failures', 'list', '--since', '1h']);
  expect(out).toMatch(/\nwebhook:\w+ +2 +2 +\S+( ago)? +\S+( ago)? .*█ +connect ECONNREFUSED <host>\n$/);
  const [, key = ''] = /(webhook:\w+)/.exec(out) ?? [];
  expect((await run(['failures', 'show', key])).out).toMatch(
    /\nlast one +connect ECONNREFUSED 10\.0\.0\.1:443\n/,
  );
  expect(await json(['failures', 'show', key])).toMatchObject({ key, stillFailing: { count: 2 } });

  expect((await run(['failures', 'retry', key])).out).toMatch(/\nstate +done\nprogress +█+ 100% 2 of 2\n/);
  expect(await processor.getJobStatus('a')).toBe('queued');
  expect(await run(['failures', 'show', 'webhook:none'])).toMatchObject({ code: 3 });
  expect(await run(['failures', 'retry', 'webhook:none'])).toMatchObject({ code: 3 });
});

test('all jobs that match are retried and cancelled, and that is undone', async () => {
  const processor = await failed();
  const retried = await json(['retry', '--status', 'error', '--name', 'webhook']);
  expect(retried).toMatchObject({ action: 'retry', state: 'done', done: 2 });
  expect(await json(['cancel', '--name', 'webhook'])).toMatchObject({ action: 'cancel', done: 2 });
  expect(await processor.getJobStatus('b')).toBe('cancelled');

  const list = await run(['operations']);
  const [, cancelling = ''] =
    /\n(\w+) +cancel +status queued, jobName webhook +done +2 /.exec(list.out) ?? [];
  expect(await json(['operations', 'undo', cancelling])).toMatchObject({ state: 'undone', undone: 2 });
  expect(await processor.getJobStatus('b')).toBe('queued');
  expect((await run(['operations', 'show', cancelling])).out).toMatch(/\nprogress .* 2 of 2, 2 undone\n/);
  expect(await run(['operations', 'stop', cancelling])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/undone/),
  });
});

test('jobs are listed and retried by when they failed', async () => {
  const processor = await failed();
  const { jobs } = database.collections();
  await jobs.updateOne({ _id: 'a' }, { $set: { completed: new Date(Date.now() - 7_200_000) } });
  expect(await json(['list', '--status', 'error', '--ended-before', '1h'])).toMatchObject({
    jobs: [{ id: 'a' }],
  });

  const retried = await json(['retry', '--status', 'error', '--ended-after', '1h']);

  expect(retried).toMatchObject({ state: 'done', done: 1, total: { count: 1 } });
  expect(await processor.getJobStatus('a')).toBe('error');
  expect(await processor.getJobStatus('b')).toBe('queued');
  for (const when of ['soon', '7', '2026-13-01'])
    expect((await run(['retry', '--status', 'error', '--ended-after', when])).code).toBe(2);
  const moved = ['operations', 'start', 'move', '--name', 'webhook', '--to', 'x', '--ended-after', '1h'];
  expect(await run(moved)).toMatchObject({ code: 2, err: expect.stringMatching(/endedAfter.*have ended/s) });
});

test('jobs that match are moved, reprioritised, and removed after a question', async () => {
  const processor = await failed();
  const id = await processor.addJob('echo', {});
  const start = ['operations', 'start'];
  expect(await json([...start, 'move', '--name', 'echo', '--to', 'slow'])).toMatchObject({ done: 1 });
  expect(await json([...start, 'reprioritise', '--queue', 'slow', '--priority', '9'])).toMatchObject({
    done: 1,
  });
  expect(await processor.getJob(id)).toMatchObject({ queue: 'slow', priority: 9 });

  const remove = [...start, 'remove', '--status', 'error', '--name', 'webhook'];
  expect(await run(remove)).toMatchObject({ code: 2, err: expect.stringMatching(/say --yes/) });
  expect(await json([...remove, '--yes'])).toMatchObject({ done: 2 });
  expect(await processor.getJobs({ status: 'error' })).toEqual([]);
});

test.each([
  [['retry'], /Give the ids of jobs, or options/],
  [['retry', 'a', '--name', 'webhook'], /Give the ids of jobs, or options/],
  [['retry', 'a', '--spread', '10m'], /Give the ids of jobs, or options/],
  [['cancel', '--status', 'error'], /Allowed choices are queued, processing/],
  [['operations', 'start', 'explode', '--name', 'x'], /Allowed choices are retry, cancel/],
])('%j is refused', async (args, message) => {
  expect(await run(args)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
});

test('what the API refuses is told with its field', async () => {
  expect(await run(['operations', 'start', 'move', '--name', 'x'])).toMatchObject({
    code: expect.any(Number),
    err: expect.stringMatching(/to: expected for the action 'move'/),
  });
});
