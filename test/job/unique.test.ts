/** What adding does when the unique key is taken: by a job that waits, runs, or has ended. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type AddJobOptions, defineJob, RemoteException } from '../../src/index.js';
import { addUniqueJob } from '../../src/job/add-unique-job.js';
import { claimJobs } from '../../src/job/claim-jobs.js';
import { useDatabase } from '../database.js';
import { echo, flaky } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

async function setup() {
  const processor = database.processor();
  await processor.addJobFactories([echo, flaky]);
  return processor;
}

type Unique = NonNullable<AddJobOptions['unique']>;

const by = (unique: Unique, options: AddJobOptions = {}): AddJobOptions => ({
  ...options,
  unique: { key: 'k', ...unique },
});

/** Moves the moments of a job into the past. */
async function passPeriod(id: string) {
  const past = { $set: { uniqueUntil: new Date(Date.now() - 60_000) } };
  await database.collections().jobs.updateOne({ _id: id }, past);
}

describe('while the job waits', () => {
  test('it is kept, and the caller is told whether its input differs', async () => {
    const { jobs } = await setup();
    const { id } = await jobs.add('echo', { n: 1 }, by({}));
    expect(await jobs.add('echo', { n: 2 }, by({}))).toEqual({ id, outcome: 'kept', inputDiffers: true });
    expect(await jobs.add('echo', { n: 1 }, { uniqueKey: 'k' })).toEqual({
      id,
      outcome: 'kept',
      inputDiffers: false,
    });
  });

  test('mode replace gives it the new input, options and moment, and no other id', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', { n: 1 }, by({}, { delay: '1h', metadata: { a: 'b' } }));
    const options = { queue: 'slow', priority: 3, maxRetries: 7, retryDelay: 5, delay: '2h' };

    const added = await processor.jobs.add('echo', { n: 2 }, by({ mode: 'replace' }, options));

    expect(added).toEqual({ id, outcome: 'replaced', inputDiffers: false });
    const { delay: _, ...stored } = options;
    const job = await processor.getJob(id);
    expect(job).toMatchObject({ ...stored, input: { n: 2 }, status: 'queued', uniqueKey: 'k' });
    expect(job?.metadata).toBeUndefined();
    expect(Number(job?.runAt) - Number(job?.created)).toBeGreaterThan(7_199_999);
  });

  test('mode preserveRunAt gives it all but the moment', async () => {
    const processor = await setup();
    const runAt = new Date('2031-01-01T00:00:00Z');
    const id = await processor.addJob('echo', { n: 1 }, by({}, { runAt }));
    await processor.addJob('echo', { n: 2 }, by({ mode: 'preserveRunAt' }, { priority: 4 }));
    expect(await processor.getJob(id)).toMatchObject({ runAt, input: { n: 2 }, priority: 4 });
  });

  test('a job that waits for its next attempt gets all attempts for its new input', async () => {
    const processor = await setup();
    const id = await processor.addJob('flaky', undefined, by({}, { maxRetries: 2, retryDelay: '1h' }));
    await processor.processNextJob();
    await processor.addJob('flaky', undefined, by({ mode: 'replace' }, { maxRetries: 2, retryDelay: 0 }));
    expect(await processor.getJob(id)).toMatchObject({ retryCounter: 1, maxRetries: 3 });
    expect(await processor.drain()).toMatchObject({ retried: 1, errors: 1 });
    expect(await processor.getJobErrors(id)).toHaveLength(3);
  });

  test('a job that must run alone after a crash goes on to be seen by no usual claim', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', { n: 1 }, by({}));
    const { jobs } = database.collections();
    await jobs.updateOne({ _id: id }, { $set: { runAlone: true }, $unset: { claimable: '' } });
    await processor.addJob('echo', { n: 2 }, by({ mode: 'replace' }));
    expect(await database.storedJob(id)).toMatchObject({ runAlone: true, input: { n: 2 } });
    expect(await database.storedJob(id)).not.toHaveProperty('claimable');
    expect(await processor.drain()).toMatchObject({ completed: 1 });
  });

  test.each([
    ['a new job', {}, ['findAndModify']],
    ['one that is kept', {}, ['findAndModify']],
    ['one that is replaced', { mode: 'replace' as const }, ['findAndModify']],
  ])('%s costs one command', async (what, unique, expected) => {
    const processor = await setup();
    await processor.addJob('echo', {}, { uniqueKey: 'another' });
    if (what !== 'a new job') await processor.addJob('echo', {}, by({}));
    const commands = await database.commandsDuring(() => processor.addJob('echo', { n: 2 }, by(unique)));
    expect(commands.map(({ commandName }) => commandName)).toEqual(expected);
  });
});

describe('while the job runs', () => {
  test('it is not touched, and until settled none is added', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', { n: 1 }, by({}));
    await processor.pullNextJob();
    const added = await processor.jobs.add('echo', { n: 2 }, by({ mode: 'replace' }));
    expect(added).toEqual({ id, outcome: 'kept', inputDiffers: true });
    expect(await processor.getJob(id)).toMatchObject({ input: { n: 1 } });
  });

  test('until claimed: another is added, by a second command that takes the key away', async () => {
    const processor = await setup();
    const first = await processor.addJob('echo', { n: 1 }, by({ until: 'claimed' }));
    const pulled = await processor.pullNextJob();
    const commands = await database.commandsDuring(async () => {
      const second = await processor.jobs.add('echo', { n: 2 }, by({ until: 'claimed' }));
      expect(second).toMatchObject({ outcome: 'added' });
      expect(second.id).not.toBe(first);
    });
    expect(commands.map(({ commandName }) => commandName)).toEqual(['findAndModify', 'findAndModify']);
    if (pulled) await processor.completeJob(pulled, 'done');
    expect(await processor.getJobStatus(first)).toBe('completed');
    expect(await processor.drain()).toMatchObject({ completed: 1 });
  });

  test('until claimed: a job that fails after another got its key waits without it, and runs again', async () => {
    const processor = await setup();
    const options = by({ until: 'claimed' }, { retryDelay: 0, maxRetries: 2 });
    const first = await processor.addJob('echo', { n: 1 }, options);
    const pulled = await processor.pullNextJob();
    const second = await processor.addJob('echo', { n: 2 }, options);
    if (pulled) expect(await processor.failJob(pulled, new Error('again'))).toBe('queued');
    expect(await processor.getJob(first)).not.toHaveProperty('uniqueKey');
    expect(await processor.addJob('echo', { n: 3 }, options)).toBe(second);
    expect(await processor.drain()).toMatchObject({ completed: 2 });
  });

  test('until claimed: a job that fails before another is added has its key again', async () => {
    const processor = await setup();
    const options = by({ until: 'claimed', mode: 'replace' }, { retryDelay: 0 });
    const first = await processor.addJob('echo', { n: 1 }, options);
    const pulled = await processor.pullNextJob();
    if (pulled) await processor.failJob(pulled, new Error('again'));
    expect(await processor.jobs.add('echo', { n: 2 }, options)).toMatchObject({
      id: first,
      outcome: 'replaced',
    });
  });

  test('until claimed: a job without its key can be retried by a person beside the one that has it', async () => {
    const processor = await setup();
    const options = by({ until: 'claimed' });
    const first = await processor.addJob('echo', { n: 1 }, options);
    const pulled = await processor.pullNextJob();
    await processor.addJob('echo', { n: 2 }, options);
    if (pulled) await processor.failJob(pulled, new RemoteException('no'));
    await processor.retryJob(first);
    expect(await processor.drain()).toMatchObject({ completed: 2 });
  });
});

describe('with a period', () => {
  const hourly = by({ period: '1h' });

  test('the key stays taken after completion, and is free once the period is over', async () => {
    const processor = await setup();
    const first = await processor.addJob('echo', { n: 1 }, hourly);
    await processor.drain();
    expect(await processor.getJob(first)).toMatchObject({ status: 'completed', uniqueKey: 'k' });
    expect(await processor.jobs.add('echo', { n: 2 }, hourly)).toEqual({
      id: first,
      outcome: 'kept',
      inputDiffers: true,
    });

    await passPeriod(first);
    const second = await processor.jobs.add('echo', { n: 3 }, hourly);
    expect(second).toMatchObject({ outcome: 'added' });
    expect(await processor.getJob(first)).not.toHaveProperty('uniqueKey');
  });

  test('many jobs that complete together keep theirs, beside jobs without one', async () => {
    const processor = database.processor({ maxThreads: 20 });
    await processor.addJobFactory(echo);
    const keyed = ['a', 'b', 'c'].map((key) => ({
      name: 'echo',
      input: {},
      options: { unique: { key, period: '1h' } },
    }));
    const plain = ['d', 'e'].map((uniqueKey) => ({ name: 'echo', input: {}, options: { uniqueKey } }));
    await processor.addJobs([...keyed, ...plain, { name: 'echo', input: {} }]);
    await processor.drain();
    const held = (await processor.getJobs()).map(({ status, uniqueKey }) => [status, uniqueKey]);
    expect(held).toEqual(['a', 'b', 'c', undefined, undefined, undefined].map((key) => ['completed', key]));
  });

  test('a job that waits longer than its period keeps its key until it is settled', async () => {
    const processor = await setup();
    const first = await processor.addJob('echo', { n: 1 }, hourly);
    await passPeriod(first);
    expect(await processor.addJob('echo', { n: 2 }, hourly)).toBe(first);
    await processor.drain();
    expect(await processor.getJob(first)).not.toHaveProperty('uniqueKey');
  });

  test('a failed job keeps the key and takes it along when it is retried; a cancelled one frees it', async () => {
    const processor = await setup();
    const first = await processor.addJob('echo', { n: 1 }, hourly);
    const pulled = await processor.pullNextJob();
    if (pulled) await processor.failJob(pulled, new RemoteException('no'));
    expect(await processor.addJob('echo', { n: 1 }, hourly)).toBe(first);
    await processor.retryJob(first);
    expect(await processor.getJob(first)).toMatchObject({ status: 'queued', uniqueKey: 'k' });
    await processor.cancelJob(first);
    expect(await processor.addJob('echo', { n: 1 }, hourly)).not.toBe(first);
  });

  test('the job is kept as long as its key is', async () => {
    const processor = database.processor();
    const brief = defineJob({
      name: 'brief',
      retention: { completed: 0, error: '1m' },
      unique: { key: 'only', period: '1h' },
      run: () => 1,
    });
    await processor.addJobFactory(brief);
    const id = await processor.addJob(brief);
    await processor.drain();
    const job = await processor.getJob(id);
    expect(job?.status).toBe('completed');
    expect(Number(job?.expireAt)).toBeGreaterThanOrEqual(Number(job?.created) + 3_600_000);
    expect(await processor.addJob(brief)).toBe(id);
  });

  test('replacing a waiting job does not prolong it', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', { n: 1 }, by({ period: '1h', mode: 'replace' }));
    const before = await processor.getJob(id);
    await processor.addJob('echo', { n: 2 }, by({ period: '2h', mode: 'replace' }));
    expect(await processor.getJob(id)).toMatchObject({
      input: { n: 2 },
      uniqueUntil: before?.uniqueUntil,
    });
  });
});

describe('debounce', () => {
  const times = { key: 'k', delay: '10s', maxWait: '1m' };

  test('each add puts the waiting job off, no later than the longest wait, with the latest input', async () => {
    const processor = await setup();
    const { jobs } = database.collections();
    const { id } = await processor.jobs.add('echo', { n: 1 }, { debounce: times });
    const first = await processor.getJob(id);
    expect(Number(first?.runAt) - Number(first?.created)).toBe(10_000);

    const earlier = new Date(Number(first?.queued) - 55_000);
    await jobs.updateOne({ _id: id }, { $set: { queued: earlier } });
    expect(await processor.jobs.add('echo', { n: 2 }, { debounce: times })).toMatchObject({
      id,
      outcome: 'replaced',
    });
    expect(await processor.getJob(id)).toMatchObject({
      input: { n: 2 },
      runAt: new Date(earlier.getTime() + 60_000),
    });

    const { maxWait: _, ...forever } = times;
    await processor.addJob('echo', { n: 3 }, { debounce: forever });
    const last = await processor.getJob(id);
    expect(Number(last?.runAt)).toBeGreaterThan(Number(first?.runAt) - 1);
    expect(last?.input).toEqual({ n: 3 });
  });

  test('while one runs, another waits for its own delay', async () => {
    const processor = await setup();
    const first = await processor.addJob('echo', { n: 1 }, { debounce: times });
    await processor.updateJob(first, { delay: 0 });
    const pulled = await processor.pullNextJob();
    const second = await processor.addJob('echo', { n: 2 }, { debounce: times });
    expect(second).not.toBe(first);
    if (pulled) await processor.completeJob(pulled, 'done');
    expect(await processor.drain()).toMatchObject({ completed: 0 });
  });

  test('of a kind of job: by its input; a moment given with the job goes before the delay', async () => {
    const processor = database.processor();
    const reindex = defineJob({
      name: 'reindex',
      input: z.object({ shop: z.string(), n: z.number() }),
      debounce: { by: ['shop'], delay: '30s' },
      run: ({ input }) => input.n,
    });
    await processor.addJobFactory(reindex);
    const a = await processor.addJob(reindex, { shop: 'a', n: 1 });
    const b = await processor.addJob(reindex, { shop: 'b', n: 1 });
    expect(await processor.addJob(reindex, { shop: 'a', n: 2 }, { delay: 0 })).toBe(a);
    expect(await processor.drain()).toMatchObject({ completed: 1 });
    expect(await processor.getJobResult(a)).toBe(2);
    expect(await processor.getJobStatus(b)).toBe('queued');
  });
});

describe('one more while one runs', () => {
  const queueOne = by({ mode: 'replace', whileRunning: 'queueOne' });

  async function setupQueueing() {
    const processor = database.processor({ maxThreads: 5 });
    await processor.addJobFactories([echo, flaky]);
    return processor;
  }

  test('adds one, which later adds replace, and which runs once the first has ended', async () => {
    const processor = await setupQueueing();
    const first = await processor.addJob('echo', { n: 1 }, queueOne);
    const running = await processor.pullNextJob();
    const second = await processor.jobs.add('echo', { n: 2 }, queueOne);
    expect(second).toMatchObject({ outcome: 'added' });
    expect(second.id).not.toBe(first);
    expect(await processor.pullNextJob()).toBeUndefined();
    expect(await processor.getJob(second.id)).toMatchObject({ blockedBy: 'unique echo=k' });
    expect(await processor.limits.get('unique echo=k')).toMatchObject({
      holders: [{ id: first }],
      line: [{ id: second.id }],
    });

    const third = await processor.jobs.add('echo', { n: 3 }, queueOne);
    expect(third).toMatchObject({ id: second.id, outcome: 'replaced' });
    expect(await processor.getJob(second.id)).toMatchObject({ blockedBy: 'unique echo=k', status: 'queued' });
    expect(await processor.pullNextJob()).toBeUndefined();

    if (running) await processor.completeJob(running, 'done');
    expect(await processor.pullNextJob()).toMatchObject({ id: second.id, input: { n: 3 } });
  });

  test('the one more waits until the first is settled, also while that waits for its next attempt', async () => {
    const processor = await setupQueueing();
    const options = { ...queueOne, retryDelay: 0, maxRetries: 2 };
    const first = await processor.addJob('echo', { n: 1 }, options);
    const running = await processor.pullNextJob();
    const { id: second } = await processor.jobs.add('echo', { n: 2 }, options);
    if (running) await processor.failJob(running, new Error('again'));
    const again = await processor.pullNextJob();
    expect(again?.id).toBe(first);
    expect(await processor.pullNextJob()).toBeUndefined();
    if (again) await processor.failJob(again, new Error('for good'));
    expect(await processor.pullNextJob()).toMatchObject({ id: second });
  });

  test('cancelling the first while it waits for its next attempt lets the one more run', async () => {
    const processor = await setupQueueing();
    const options = { ...queueOne, retryDelay: '1h' };
    const first = await processor.addJob('echo', { n: 1 }, options);
    const running = await processor.pullNextJob();
    const { id: second } = await processor.jobs.add('echo', { n: 2 }, options);
    expect(await processor.pullNextJob()).toBeUndefined();
    if (running) await processor.failJob(running, new Error('again'));
    await processor.cancelJob(first);
    expect(await processor.pullNextJob()).toMatchObject({ id: second });
  });

  test('a claimed job that its worker has not admitted yet does not lose its key, except to one that cannot wait', async () => {
    const processor = await setupQueueing();
    await processor.addJob('echo', { n: 1 }, queueOne);
    const { jobs } = database.collections();
    await claimJobs(jobs, { jobNames: ['echo'] }, { token: 't', worker: 'w', leaseMs: 30_000 }, 1);
    const defaults = { queue: 'default', priority: 0, maxRetries: 1, retryDelay: 0, runAt: 0 } as const;
    const job = { id: 'late', jobName: 'echo', input: { n: 2 }, uniqueKey: 'k', ...defaults };
    const add = (isImpatient: boolean) => addUniqueJob(jobs, job, { withInput: false, isImpatient });
    expect(await add(false)).toEqual({ kind: 'undecided' });
    expect(await add(true)).toEqual({ kind: 'freed' });
  });

  test('keys of the same text do not hold up each other in different kinds of jobs', async () => {
    const processor = await setupQueueing();
    await processor.addJob('echo', {}, queueOne);
    await processor.pullNextJob();
    await processor.addJob('flaky', undefined, queueOne);
    expect(await processor.pullNextJob()).toMatchObject({ jobName: 'flaky' });
  });
});

describe('in a transaction of the caller', () => {
  const inTransaction = (options: AddJobOptions, processor: Awaited<ReturnType<typeof setup>>) =>
    database.client.withSession((session) =>
      session.withTransaction(() => processor.jobs.add('echo', { n: 2 }, { ...options, session })),
    );

  test.each([
    ['keeps', {}, 'kept', 1],
    ['replaces', { mode: 'replace' }, 'replaced', 2],
  ] as const)('it %s the waiting job', async (_, unique, outcome, n) => {
    const processor = await setup();
    const id = await processor.addJob('echo', { n: 1 }, by({}));
    expect(await inTransaction(by(unique), processor)).toMatchObject({ id, outcome });
    expect(await processor.getJob(id)).toMatchObject({ input: { n } });
  });

  test('an aborted one replaces nothing', async () => {
    const processor = await setup();
    const id = await processor.addJob('echo', { n: 1 }, by({}));
    await database.client.withSession(async (session) => {
      session.startTransaction();
      await processor.addJob('echo', { n: 2 }, { ...by({ mode: 'replace' }), session });
      await session.abortTransaction();
    });
    expect(await processor.getJob(id)).toMatchObject({ input: { n: 1 } });
  });

  test.each([
    ['a job that runs', by({ until: 'claimed' })],
    ['a job whose period is over', by({ period: '1h' })],
  ])('a key of %s is taken', async (what, options) => {
    const processor = await setup();
    const first = await processor.addJob('echo', { n: 1 }, options);
    if (what.includes('runs')) await processor.pullNextJob();
    else await processor.drain();
    await passPeriod(first);
    if (what.includes('runs'))
      await database.collections().jobs.updateOne({ _id: first }, { $set: { uniqueUntil: 'claimed' } });
    expect(await inTransaction(options, processor)).toMatchObject({ outcome: 'added' });
    expect(await processor.getJob(first)).not.toHaveProperty('uniqueKey');
  });

  test('an id that exists gives that job, and the transaction goes on', async () => {
    const processor = await setup();
    await processor.addJob('echo', { n: 2 }, { id: 'mine' });
    await processor.drain();
    expect(await inTransaction(by({ mode: 'replace' }, { id: 'mine' }), processor)).toEqual({
      id: 'mine',
      outcome: 'kept',
      inputDiffers: false,
    });
  });
});

test('in a strict order, a replaced job goes to the end, and one that keeps its moment stays where it is', async () => {
  const ordered = defineJob({
    name: 'ordered',
    input: z.object({ n: z.number() }),
    ordering: { name: 'all' },
    run: () => null,
  });
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactory(ordered);
  const add = (n: number, unique: Unique) => processor.addJob(ordered, { n }, { unique });
  await add(1, { key: 'a' });
  await add(2, { key: 'b' });
  await add(3, { key: 'c' });
  await add(4, { key: 'a', mode: 'replace' });
  await add(5, { key: 'b', mode: 'preserveRunAt' });
  const order: unknown[] = [];
  for (let job = await processor.pullNextJob(); job; job = await processor.pullNextJob()) {
    order.push(job.input);
    await processor.completeJob(job, null);
  }
  expect(order).toEqual([{ n: 5 }, { n: 3 }, { n: 4 }]);
});

describe('many at once', () => {
  const many = (count: number, unique: Unique | undefined) =>
    Array.from({ length: count }, (_, n) => ({
      name: 'echo',
      input: { n },
      options: { unique: { ...unique, key: `k${n % (count / 2)}` } },
    }));

  test('jobs of the same keys in one list: the last of each wins, by two commands for all', async () => {
    const { jobs } = await setup();
    const list = many(200, { mode: 'replace' });
    const added = await jobs.addMany(list);
    const outcomes = added.map(({ outcome }) => outcome);
    expect(outcomes).toEqual([...Array(100).fill('added'), ...Array(100).fill('replaced')]);
    const { jobs: stored } = await jobs.list({ order: 'oldest', limit: 1000 });
    expect(stored.map(({ input }) => input)).toEqual(list.slice(100).map(({ input }) => input));

    const commands = await database.commandsDuring(() => jobs.addMany(list));
    expect(commands.map(({ commandName }) => commandName)).toEqual(['find', 'update']);
    expect((await jobs.addMany(many(200, {}))).every(({ outcome }) => outcome === 'kept')).toBe(true);
  });

  test('3,000 that are put off are one command per thousand, and one look for their keys', async () => {
    const { jobs } = await setup();
    const list = Array.from({ length: 3_000 }, (_, n) => ({
      name: 'echo',
      input: { n },
      options: { debounce: { key: `k${n}`, delay: '1h' } },
    }));
    await jobs.addMany(list);
    const commands = await database.commandsDuring(async () => {
      const added = await jobs.addMany(list);
      expect(added.every(({ outcome }) => outcome === 'replaced')).toBe(true);
    });
    expect(commands.length).toBeLessThanOrEqual(9);
    expect((await jobs.count()).queued).toMatchObject({ count: 3_000 });
  });

  test('beside jobs that run and that are kept, each entry is told apart', async () => {
    const processor = await setup();
    const entry = (key: string, unique: Unique = {}) => ({
      name: 'echo',
      input: { key },
      options: { unique: { ...unique, key } },
    });
    const [running = ''] = await processor.addJobs([entry('running', { until: 'claimed' })]);
    await processor.pullNextJob();
    const [waiting = ''] = await processor.addJobs([entry('waiting')]);
    const added = await processor.jobs.addMany([
      entry('running'),
      entry('waiting', { mode: 'replace' }),
      entry('new'),
      entry('waiting'),
      { name: 'echo', input: {} },
    ]);
    expect(added.map(({ outcome }) => outcome)).toEqual(['added', 'replaced', 'added', 'kept', 'added']);
    expect(added[0]?.id).not.toBe(running);
    expect([added[1]?.id, added[3]?.id]).toEqual([waiting, waiting]);
  });
});

test('a job that crashes its worker on its last attempt keeps its key for the period', async () => {
  const processor = await setup();
  const options = by({ period: '1h' }, { maxRetries: 1 });
  const id = await processor.addJob('echo', {}, options);
  await processor.pullNextJob();
  const expired = { $set: { 'lease.expires': new Date(1) } };
  await database.collections().jobs.updateOne({ _id: id }, expired);
  await processor.recoverJobs();
  expect(await processor.getJob(id)).toMatchObject({ status: 'error', uniqueKey: 'k' });
});

test('a job whose worker crashed after another got its key waits without it', async () => {
  const processor = await setup();
  const options = by({ until: 'claimed' });
  const first = await processor.addJob('echo', { n: 1 }, options);
  await processor.pullNextJob();
  const second = await processor.addJob('echo', { n: 2 }, options);
  const expired = { $set: { 'lease.expires': new Date(1) } };
  await database.collections().jobs.updateOne({ _id: first }, expired);
  await processor.recoverJobs();
  expect(await processor.getJobStatus(first)).toBe('queued');
  expect(await processor.addJob('echo', { n: 3 }, options)).toBe(second);
  expect(await processor.drain()).toMatchObject({ completed: 2 });
});

test('events: a replaced job is not added, but workers are told that it may be due', async () => {
  const processor = await setup();
  const told: string[] = [];
  processor.on('jobAdded', () => told.push('added'));
  processor.on('jobsReady', ({ jobs }) => told.push(`ready ${jobs.length}`));
  await processor.addJob('echo', {}, by({}, { delay: '1h' }));
  await processor.addJob('echo', {}, by({ mode: 'replace' }));
  await processor.addJob('echo', {}, by({ mode: 'preserveRunAt' }));
  await processor.addJob('echo', {}, by({}));
  expect(told).toEqual(['added', 'ready 1', 'ready 1']);
});

test('no command for jobs without a key names a field of unique keys, except those that every job had before', async () => {
  const processor = database.processor({ maxThreads: 5 });
  await processor.addJobFactories([echo, flaky]);
  const commands = await database.commandsDuring(async () => {
    const id = await processor.addJob('echo', {}, { delay: '1h' });
    await processor.addJobs([1, 2, 3].map((n) => ({ name: 'echo', input: { n } })));
    await processor.addJob('flaky', undefined, { maxRetries: 1 });
    await processor.drain();
    await processor.updateJob(id, { priority: 1 });
    await processor.cancelJob(id);
    await processor.retryJob(id);
    await processor.getJob(id);
    await processor.pullNextJob();
  });
  const text = JSON.stringify(commands.map(({ command }) => command));
  expect(text).not.toMatch(/uniqueUntil|replacedBy|exclusiveKey/);
});
