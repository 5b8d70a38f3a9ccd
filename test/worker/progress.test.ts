import type { CommandStartedEvent } from 'mongodb';
import { expect, test } from 'vitest';
import { RemoteException } from '../../src/index.js';
import { isHeartbeat } from '../chaos/commands.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { Gate } from '../jobs.js';
import { reportsAlone, reportsIn, telling } from './told.js';

const database = useDatabase({ monitorCommands: true });
const never = new AbortController().signal;

test.each([
  { told: [{ any: ['$value', { $set: 1 }] }], stored: { any: ['$value', { $set: 1 }] } },
  { told: [0.25], stored: 0.25 },
  { told: [null], stored: null },
  { told: [0.5, 'half'], stored: { fraction: 0.5, message: 'half' } },
  { told: [3, 10], stored: { done: 3, of: 10 } },
  { told: [3, 10, 'the third'], stored: { done: 3, of: 10, message: 'the third' } },
  { told: [0, 0, 'nothing to do'], stored: { done: 0, of: 0, message: 'nothing to do' } },
] as const)('progress($told) is stored as $stored', async ({ told, stored }) => {
  const processor = database.processor();
  const job = telling(({ progress }) => {
    const [value, second, message] = told;
    return second === undefined
      ? progress(value)
      : Reflect.apply(progress, undefined, [value, second, message]);
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect((await processor.getJob(id))?.progress).toEqual(stored);
});

test.each([
  [1.1, 'too much'],
  [-0.1, 'too little'],
  [Number.NaN, 'no number'],
  ['half', 'no number either'],
  [11, 10],
  [-1, 10],
  [Number.NaN, 10],
  [1, Number.POSITIVE_INFINITY],
  [0, -1],
])('progress(%o, %o) is refused, and nothing is stored', async (first, second) => {
  const processor = database.processor();
  const job = telling(async ({ progress }) => {
    await Reflect.apply(progress, undefined, [first, second]).catch((error: { code: string }) => {
      throw new RemoteException(error.code);
    });
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  await processor.drain();
  expect(await processor.getJob(id)).toMatchObject({ errors: [{ message: 'validation_failed' }] });
  expect(await processor.getJob(id)).not.toHaveProperty('progress');
});

test('a job may report as often as it likes: it costs a command a second, and the last value is stored', async () => {
  const processor = database.processor();
  let tookMs = 0;
  const job = telling(async ({ progress }) => {
    const began = performance.now();
    for (let done = 1; done <= 10_000; done += 1) {
      await progress(done, 10_000);
      if (done % 100 === 0) await new Promise(setImmediate);
    }
    tookMs = performance.now() - began;
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  const commands = await database.commandsDuring(() => processor.drain());
  expect(reportsAlone(commands).length).toBeGreaterThanOrEqual(1);
  expect(reportsAlone(commands).length).toBeLessThanOrEqual(1 + tookMs / 1_000);
  expect((await processor.getJob(id))?.progress).toEqual({ done: 10_000, of: 10_000 });
});

test('what several jobs report is stored by one command', async () => {
  const processor = database.processor({ maxThreads: 5 });
  const gate = new Gate();
  const job = telling(async ({ progress, log, jobId, signal }) => {
    void progress(jobId);
    log('first');
    await gate.pass(signal);
  });
  await processor.addJobFactory(job);
  await processor.addJobs(Array.from({ length: 5 }, () => ({ name: 'telling' })));
  const commands = await database.commandsDuring(async () => {
    const draining = processor.drain();
    await eventually(async () => {
      for (const { id, progress } of await processor.getJobs()) expect(progress).toBe(id);
    });
    gate.open();
    await draining;
  });
  expect(reportsAlone(commands)).toHaveLength(1);
});

test.each([1, 3])('what %i jobs report last is stored by the statements that settle them', async (count) => {
  const processor = database.processor({ maxThreads: count });
  const quiet = telling(() => null);
  const loud = telling(({ progress, log, jobId }) => {
    log(`line of ${jobId}`);
    void progress(jobId);
    return null;
  });
  const namesDuring = async (job: typeof quiet) => {
    await processor.addJobFactory(job);
    const jobs = Array.from({ length: count }, () => ({ name: 'telling' }));
    const ids = await processor.addJobs(jobs);
    const commands = await database.commandsForJobs(() => processor.drain());
    return { ids, names: commands.map(({ commandName }) => commandName) };
  };
  await namesDuring(quiet); // What is done but once is done now.
  const { names } = await namesDuring(quiet);
  const { ids, names: loudNames } = await namesDuring(loud);
  expect(loudNames).toEqual(names);
  for (const id of ids) {
    expect(await processor.getJob(id)).toMatchObject({ status: 'completed', progress: id });
    expect((await processor.jobs.log(id)).lines).toMatchObject([{ message: `line of ${id}`, attempt: 1 }]);
  }
});

test('a heartbeat that is due carries what jobs report, and renews all the same', async () => {
  const processor = database.processor({ lease: '1s' });
  const gate = new Gate();
  const job = telling(async ({ progress, signal }) => {
    const timer = setInterval(() => void progress(performance.now()), 20);
    await gate.pass(signal).finally(() => clearInterval(timer));
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  const statements: number[] = [];
  const note = ({ command }: CommandStartedEvent) => {
    if (isHeartbeat(command) && reportsIn(command) > 0) statements.push(command.updates.length);
  };
  database.client.on('commandStarted', note);
  const draining = processor.drain();
  await eventually(() => expect(statements.length).toBeGreaterThan(3));
  database.client.off('commandStarted', note);
  expect(new Set(statements)).toEqual(new Set([2]));
  expect(await processor.getJob(id)).toMatchObject({ status: 'processing', progress: expect.any(Number) });
  gate.open();
  expect(await draining).toMatchObject({ completed: 1 });
});

test('a job that does nothing but to report leaves heartbeats their turn', async () => {
  const processor = database.processor({ lease: '1s' });
  let heartbeats = 0;
  const note = ({ command }: CommandStartedEvent) => {
    if (isHeartbeat(command)) heartbeats += 1;
  };
  const job = telling(async ({ progress }) => {
    // It gives up by itself: otherwise a failure would keep the whole process busy.
    const end = performance.now() + 5_000;
    for (let done = 1; heartbeats === 0 && performance.now() < end; done += 1) await progress(done);
    return heartbeats;
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  database.client.on('commandStarted', note);
  await processor.drain();
  database.client.off('commandStarted', note);
  expect(await processor.getJobResult(id)).toBeGreaterThan(0);
});

test.each([1, 2])(
  'a new attempt begins without the progress of the last one (%i at a time)',
  async (maxThreads) => {
    const processor = database.processor({ maxThreads });
    const seen: unknown[] = [];
    const job = telling(async ({ progress, attempt, jobId }) => {
      seen.push((await processor.getJob(jobId))?.progress);
      void progress(`attempt ${attempt}`);
      if (attempt === 1) throw new Error('Try again.');
    });
    await processor.addJobFactory(job);
    const id = await processor.addJob(job);
    await processor.drain();
    expect(seen).toEqual([undefined, undefined]);
    expect((await processor.getJob(id))?.progress).toBe('attempt 2');
  },
);

test('what a job reports after its lease was lost changes nothing', async () => {
  const processor = database.processor();
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  const job = telling(async ({ progress, log, jobId }) => {
    await progress('mine');
    log('mine');
    await eventually(async () => expect((await processor.jobs.log(jobId)).lines).toHaveLength(1));
    await jobs.updateOne({ _id: jobId }, { $set: { 'lease.token': 'of somebody else' } });
    await progress('late');
    log('late');
    // Another write is due within a second; so is this job's end.
    await eventually(() => expect(sent).toBeGreaterThan(2));
  });
  let sent = 0;
  const note = ({ command }: CommandStartedEvent) => {
    if (reportsIn(command) > 0) sent += 1;
  };
  database.client.on('commandStarted', note);
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  expect(await processor.drain()).toMatchObject({ stale: 1 });
  database.client.off('commandStarted', note);
  expect((await processor.getJob(id))?.progress).toBe('mine');
  expect((await processor.jobs.log(id)).lines.map(({ message }) => message)).toEqual(['mine']);
});

test('what a job reports after it was given back is ignored', async () => {
  const processor = database.processor();
  const gate = new Gate();
  const told: Promise<unknown>[] = [];
  const deaf = telling(async ({ progress, log }) => {
    await progress('in time');
    await gate.pass(never);
    log('too late');
    told.push(progress('too late'));
  });
  await processor.addJobFactory(deaf);
  const id = await processor.addJob(deaf);
  const stop = new AbortController();
  const draining = processor.drain({
    deadline: new Date(Date.now() + 60_000),
    margin: 0,
    signal: stop.signal,
  });
  await eventually(async () => expect((await processor.getJob(id))?.progress).toBe('in time'));
  stop.abort();
  expect(await draining).toMatchObject({ givenBack: 1 });
  gate.open();
  await eventually(() => expect(told).toHaveLength(1));
  await Promise.all(told);
  expect((await processor.getJob(id))?.progress).toBe('in time');
  expect(await processor.jobs.log(id)).toEqual({ lines: [], dropped: 0 });
});

test('an invocation ends with its last job, though a second has not passed since the last report', async () => {
  const processor = database.processor();
  const job = telling(async ({ progress }) => {
    await progress('first');
    await progress('second');
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  const commands = await database.commandsDuring(() => processor.drain());
  expect(reportsAlone(commands)).toHaveLength(1);
  expect((await processor.getJob(id))?.progress).toBe('second');
});
