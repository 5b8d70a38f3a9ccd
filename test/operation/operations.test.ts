import { expect, test } from 'vitest';
import { defineJob, RemoteException, type RemoteProcessor } from '../../src/index.js';
import { workOnOperations } from '../../src/operation/work-on-operations.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, failing } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const jobs = () => database.db.collection<{ _id: string }>(collectionNames.jobs);

/** Puts failed jobs there: to fail so many takes long. */
async function failed(count: number): Promise<RemoteProcessor> {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing]);
  const ended = new Date(Date.now() - 60_000);
  const one = { jobName: 'failing', queue: 'default', priority: 0, status: 'error', runAt: ended };
  const documents = Array.from({ length: count }, (_, n) => ({
    _id: `f${String(n).padStart(5, '0')}`,
    ...{ ...one, created: ended, queued: ended, completed: ended, failureKey: 'failing:abc' },
    ...{ retryCounter: 1, givenBackCounter: 0, maxRetries: 1, retryDelay: null, errors: [{ message: 'no' }] },
  }));
  await jobs().insertMany(documents);
  return processor;
}

const withStatus = (status: string) => jobs().countDocuments({ status });

/** Goes on as a scheduler's ticks do. */
async function untilOver(processor: RemoteProcessor, id: string) {
  return eventually(async () => {
    await processor.scheduleDueItems();
    const operation = await processor.operations.get(id);
    expect(operation.state).toMatch(/^(done|stopped|undone)$/);
    return operation;
  });
}

/** An operation that nobody has worked on, as after a crash of the process that was asked. */
async function begun(
  processor: RemoteProcessor,
  operation: Parameters<RemoteProcessor['operations']['start']>[0],
) {
  const { operations } = database.collections();
  const { id } = await processor.operations.start({ ...operation, endedBefore: new Date(0) });
  await operations.updateOne({ _id: id }, [
    {
      $set: { state: 'running', endedBefore: '$$NOW', due: '$$NOW' },
    },
    { $unset: ['ended', 'cursor'] },
  ]);
  return id;
}

test('5,000 jobs that failed are queued again, with the same number of commands for each slice', async () => {
  const processor = await failed(5_000);
  const id = await begun(processor, { action: 'retry', filter: { jobName: 'failing' } });
  let ticks = 0;
  const commands = await database.commandsDuring(async () => {
    // A slow machine needs more than the time that a tick has.
    for (let isOver = false; !isOver; ticks += 1) {
      await processor.scheduleDueItems();
      isOver = (await processor.operations.get(id)).state !== 'running';
    }
  });
  const { state, done, skipped } = await processor.operations.get(id);
  expect({ state, done, skipped }).toEqual({ state: 'done', done: 5_000, skipped: 0 });
  expect(await withStatus('queued')).toBe(5_000);
  const sent = commands.filter(({ commandName }) => !['endSessions', 'hello'].includes(commandName));
  expect(sent.length).toBeLessThan(10 * 9 + 20 * ticks);
});

test('cancelling running jobs cannot be undone', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {});
  await processor.pullNextJob();
  const cancel = { action: 'cancel', filter: { status: 'processing' } } as const;
  const { id, done } = await processor.operations.start(cancel);
  expect(done).toBe(1);
  await expect(processor.operations.undo(id)).rejects.toThrow('running jobs have been told to stop');
});

test('it tells how many match, who started it, and is listed', async () => {
  const processor = await failed(3);
  const started = await processor.operations.start(
    { action: 'retry', filter: { status: 'error' }, spread: '10m' },
    { by: 'ann' },
  );
  expect(started).toMatchObject({
    ...{ action: 'retry', by: 'ann', state: 'done', done: 3, spreadMs: 600_000 },
    ...{ filter: { status: 'error' }, total: { count: 3, isCapped: false } },
  });
  expect((await processor.operations.list()).operations).toEqual([started]);
  const later = (await processor.getJobs()).filter(({ runAt }) => runAt.getTime() > Date.now() + 1000);
  expect(later.length).toBeGreaterThan(0);
});

test('after a crash in the middle of a slice, another process goes on, and counts each job once', async () => {
  const processor = await failed(1_200);
  const id = await begun(processor, { action: 'retry', filter: { jobName: 'failing' } });
  const { operations } = database.collections();
  let written = 0;
  const dying = {
    freeing: async () => {},
    cancelling: async () => {},
    beforeRetrying: async () => {},
    mayAdd: async (names: readonly string[]) => new Set(names),
    retrying: async () => {
      written += 1;
      if (written === 2) throw new Error('killed');
    },
  };
  await expect(workOnOperations(database.collections(), dying, Date.now() + 60_000)).rejects.toThrow(
    'killed',
  );
  expect(await withStatus('queued')).toBe(1_000);
  expect(await processor.operations.get(id)).toMatchObject({ state: 'running', done: 500 });

  await operations.updateOne({ _id: id }, { $set: { due: new Date(0) } }); // Its lease ends.
  expect(await untilOver(processor, id)).toMatchObject({ state: 'done', done: 1_200, skipped: 0 });
});

test.each(['before it wrote its jobs down', 'before it changed them'])(
  'a process that was frozen %s changes nothing after the operation was undone',
  async (when) => {
    const processor = await failed(3);
    const id = await begun(processor, { action: 'retry', filter: { jobName: 'failing' } });
    const { operations, operationSlices, ...others } = database.collections();
    const undoes = async () => {
      await operations.updateOne({ _id: id }, { $set: { due: new Date(0) } }); // Its lease ends.
      expect(await processor.operations.undo(id)).toMatchObject({ state: 'undone', undone: 0 });
    };
    const insertOne: typeof operationSlices.insertOne = async (...args) => {
      if (when.includes('wrote')) await undoes();
      return operationSlices.insertOne(...args);
    };
    const frozen = {
      freeing: async () => {},
      cancelling: async () => {},
      retrying: async () => {},
      beforeRetrying: async () => {},
      mayAdd: async (names: readonly string[]) => {
        if (when.includes('changed')) await undoes();
        return new Set(names);
      },
    };
    const slices = new Proxy(operationSlices, {
      get: (target, name) => (name === 'insertOne' ? insertOne : Reflect.get(target, name)),
    });
    await workOnOperations({ ...others, operations, operationSlices: slices }, frozen, Date.now() + 60_000);
    expect(await withStatus('error')).toBe(3);
    expect(await processor.operations.get(id)).toMatchObject({ state: 'undone', done: 0 });
  },
);

test('two processes on one operation change each job once', async () => {
  const processor = await failed(2_000);
  const id = await begun(processor, { action: 'retry', filter: { jobName: 'failing' } });
  const other = database.processor();
  await Promise.all([processor, other].map((each) => each.scheduleDueItems()));
  expect(await untilOver(processor, id)).toMatchObject({ done: 2_000, skipped: 0 });
  expect(await jobs().countDocuments({ maxRetries: 2 })).toBe(2_000);
});

test('a job that fails again is not retried a second time', async () => {
  const processor = await failed(1);
  const id = await begun(processor, { action: 'retry', filter: { status: 'error' } });
  await processor.scheduleDueItems();
  await processor.drain();
  await database
    .collections()
    .operations.updateOne({ _id: id }, [
      { $set: { state: 'running', due: '$$NOW' } },
      { $unset: ['ended', 'cursor'] },
    ]);
  await processor.scheduleDueItems();
  expect(await processor.getJobs()).toMatchObject([{ status: 'error', maxRetries: 2 }]);
});

test('a stopped operation changes no more jobs', async () => {
  const processor = await failed(3);
  const id = await begun(processor, { action: 'retry', filter: { status: 'error' } });
  expect(await processor.operations.stop(id)).toMatchObject({ state: 'stopped', done: 0 });
  await processor.scheduleDueItems();
  expect(await withStatus('error')).toBe(3);
  await expect(processor.operations.stop(id)).rejects.toMatchObject({ code: 'conflict' });
});

test('undoing a retry fails the jobs again that have not begun, as they were', async () => {
  const processor = await failed(3);
  const before = await processor.getJobs();
  const { id } = await processor.operations.start({ action: 'retry', filter: { failureKey: 'failing:abc' } });
  expect(await withStatus('queued')).toBe(3);
  await processor.processNextJob();
  const begunJob = (await processor.getJobs({ status: 'error' }))[0];
  expect(await processor.operations.undo(id)).toMatchObject({ state: 'undone', done: 3, undone: 2 });
  const now = await processor.getJobs();
  expect(now.filter((job) => job.id !== begunJob?.id)).toEqual(
    before.filter((job) => job.id !== begunJob?.id),
  );
  await expect(processor.operations.undo(id)).rejects.toMatchObject({ code: 'conflict' });
});

test('cancelled, moved and reprioritised jobs go back to where they were', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { uniqueKey: 'one', queue: 'slow', priority: 3, delay: '1h' });
  const before = await processor.getJobs();
  const filter = { jobName: 'echo' };
  for (const operation of [
    { action: 'cancel', filter },
    { action: 'move', filter, to: 'fast' },
    { action: 'reprioritise', filter, priority: 9 },
  ] as const) {
    const { id, done } = await processor.operations.start(operation);
    expect(done).toBe(1);
    expect(await processor.getJobs()).not.toEqual(before);
    await processor.operations.undo(id);
    expect(await processor.getJobs()).toEqual(before);
  }
});

test('undoing an older operation leaves what a later one changed, which can still be undone', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { queue: 'w2' });
  const move = (from: string, to: string) =>
    processor.operations.start({ action: 'move', filter: { queue: from }, to });
  const older = await move('w2', 'w3');
  const later = await move('w3', 'w4');
  expect(await processor.operations.undo(older.id)).toMatchObject({ state: 'undone', undone: 0 });
  expect(await processor.operations.undo(later.id)).toMatchObject({ state: 'undone', undone: 1 });
  expect(await processor.getJobs()).toMatchObject([{ queue: 'w3' }]);
});

test('removed jobs are gone, and that cannot be undone', async () => {
  const processor = await failed(2);
  const { id, done } = await processor.operations.start({
    action: 'remove',
    filter: { status: 'error', jobName: 'failing' },
  });
  expect(done).toBe(2);
  expect(await jobs().countDocuments()).toBe(0);
  await expect(processor.operations.undo(id)).rejects.toMatchObject({ code: 'conflict' });
});

test('jobs that a caller may not add are skipped', async () => {
  const processor = database.processor();
  const run = () => {
    throw new RemoteException('no');
  };
  await processor.addJobFactory(defineJob({ name: 'secret', addRole: 'admin', run }));
  await processor.addJob('secret');
  await processor.drain();
  const operation = { action: 'retry', filter: { jobName: 'secret' } } as const;
  expect(await processor.operations.start(operation, { callerRole: 'write' })).toMatchObject({
    done: 0,
    skipped: 1,
  });
  expect(await processor.operations.start(operation, { callerRole: 'admin' })).toMatchObject({
    done: 1,
    skipped: 0,
  });
});

test.each<[unknown, string]>([
  [{ action: 'explode', filter: { status: 'error' } }, 'action'],
  [{ action: 'retry', filter: {} }, 'filter'],
  [{ action: 'remove', filter: { status: 'error' } }, 'filter'],
  [{ action: 'remove', filter: { jobName: 'echo' } }, 'filter.status'],
  [{ action: 'retry', filter: { status: 'queued' } }, 'filter.status'],
  [{ action: 'move', filter: { jobName: 'echo' } }, 'to'],
  [{ action: 'retry', filter: { status: 'error' }, priority: 1 }, 'priority'],
  [{ action: 'cancel', filter: { jobName: 'echo' }, spread: '10m' }, 'spread'],
  [{ action: 'cancel', filter: { jobName: 'echo' }, endedAfter: new Date(0) }, 'endedAfter'],
  [{ action: 'retry', filter: { jobName: 'echo' }, endedAfter: 'soon' }, 'endedAfter'],
  [
    { action: 'retry', filter: { jobName: 'echo' }, endedAfter: new Date(1), endedBefore: new Date(1) },
    'endedAfter',
  ],
  [{ action: 'cancel', filter: { jobName: { $ne: '' } } }, 'filter.jobName'],
  [{ action: 'cancel', filter: { jobName: '' } }, 'filter.jobName'],
  [{ action: 'cancel', filter: { jobName: 'x'.repeat(101) } }, 'filter.jobName'],
])('%j is refused, and names the field', async (given, path) => {
  const { operations } = database.processor();
  const call = async () => Reflect.apply(operations.start, operations, [given]);
  await expect(call()).rejects.toMatchObject({
    code: 'validation_failed',
    issues: expect.arrayContaining([expect.objectContaining({ path })]),
  });
});
