import { afterEach, describe, expect, test, vi } from 'vitest';
import { Events } from '../src/events.js';
import {
  defineJob,
  type EventListener,
  type EventName,
  type LogFields,
  type ProcessorEvents,
  RemoteProcessor,
  ValidationError,
} from '../src/index.js';
import { collectionNames } from './collection-names.js';
import { silent, useDatabase } from './database.js';
import { eventually } from './eventually.js';
import { anything, echo, failing, flaky, gatedJob } from './jobs.js';

const database = useDatabase({ monitorCommands: true });

afterEach(() => void vi.restoreAllMocks());

type Told = readonly [name: EventName, event: ProcessorEvents[EventName]];

/** Takes down the events of these names, in their order. */
function listen(processor: RemoteProcessor, ...names: readonly EventName[]): Told[] {
  const told: Told[] = [];
  const hear = <Name extends EventName>(name: Name, note: EventListener<Name>) => processor.on(name, note);
  for (const name of names) hear(name, (event) => told.push([name, event]));
  return told;
}

describe('an event is told', () => {
  test('of a job, from adding it to its end, each after its write', async () => {
    const processor = database.processor({ name: 'root' });
    await processor.addJobFactory(echo);
    const seen: unknown[] = [];
    const note = async (name: string, jobId: string) => {
      seen.push([name, (await processor.getJob(jobId))?.status]);
    };
    processor.on('jobAdded', ({ jobId }) => note('jobAdded', jobId));
    processor.on('jobSettled', ({ jobId }) => note('jobSettled', jobId));
    const told = listen(
      processor,
      'jobAdded',
      'jobsReady',
      'jobsClaimed',
      'attemptStarted',
      'attemptEnded',
      'jobSettled',
    );
    const jobId = await processor.addJob('echo', { n: 1 });
    await eventually(() => expect(seen).toEqual([['jobAdded', 'queued']]));
    await processor.drain();
    await eventually(() => expect(seen[1]).toEqual(['jobSettled', 'completed']));
    const job = { jobId, jobName: 'echo' };
    const attempt = { ...job, queue: 'default', attempt: 1, worker: expect.stringMatching(/^root-worker /) };
    expect(told).toEqual([
      ['jobAdded', { ...job, queue: 'default' }],
      ['jobsReady', { jobs: [expect.objectContaining({ jobName: 'echo', queue: 'default' })] }],
      ['jobsClaimed', { count: 1, worker: attempt.worker }],
      ['attemptStarted', { ...attempt, dueSince: expect.any(Date) }],
      [
        'attemptEnded',
        {
          ...attempt,
          outcome: 'completed',
          durationMs: expect.any(Number),
          waitedMs: expect.any(Number),
        },
      ],
      ['jobSettled', { ...job, status: 'completed' }],
    ]);
  });

  test('of each attempt that fails, with its error, and of its last one that the job is settled', async () => {
    const processor = database.processor();
    await processor.addJobFactories([flaky, failing]);
    const told = listen(processor, 'attemptEnded', 'jobSettled');
    await processor.addJob('failing');
    await processor.addJob('flaky');
    await processor.drain();
    const outcomes = told.map(([name, event]) => [name, 'outcome' in event ? event.outcome : event]);
    expect(outcomes).toContainEqual(['attemptEnded', 'retried']);
    expect(outcomes).toContainEqual(['attemptEnded', 'errors']);
    expect(told).toContainEqual(['attemptEnded', expect.objectContaining({ error: 'Try again.' })]);
    expect(told.filter(([name]) => name === 'jobSettled')).toEqual([
      ['jobSettled', expect.objectContaining({ jobName: 'failing', status: 'error' })],
    ]);
  });

  test('of jobs whose workers crashed, by the process that recovers them', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
    const crash = async (worker: string, options: { maxRetries?: number } = {}) => {
      const id = await processor.addJob('echo', {}, options);
      expect((await processor.pullNextJob())?.id).toBe(id);
      await jobs.updateOne({ _id: id }, { $set: { 'lease.worker': worker, 'lease.expires': new Date(0) } });
      return id;
    };
    const last = await crash('a', { maxRetries: 1 });
    const retried = await crash('b');
    const cancelled = await crash('c');
    await processor.cancelJob(cancelled);
    const together = [await crash('d'), await crash('d')];
    const recovering = database.processor();
    const told = listen(recovering, 'leaseLost', 'attemptEnded', 'jobSettled');
    const ready: unknown[] = [];
    recovering.on('jobsReady', (event) => ready.push(event.jobs.length));

    expect(await recovering.recoverJobs()).toBe(5);

    const of = (id: string) => told.filter(([, event]) => 'jobId' in event && event.jobId === id);
    const job = (jobId: string) => ({ jobId, jobName: 'echo' });
    const attempt = (id: string, worker: string) => ({ ...job(id), queue: 'default', attempt: 1, worker });
    const lost = (id: string, worker: string) => {
      const error = `worker ${worker} lost its lease, which expired at 1970-01-01T00:00:00.000Z`;
      const failureKey = expect.stringMatching(/^echo:[0-9a-f]{12}$/);
      return [
        ['leaseLost', attempt(id, worker)],
        ['attemptEnded', { ...attempt(id, worker), outcome: 'recovered', error, failureKey }],
      ];
    };
    expect(of(last)).toEqual([...lost(last, 'a'), ['jobSettled', { ...job(last), status: 'error' }]]);
    expect(of(retried)).toEqual(lost(retried, 'b'));
    const settled = ['jobSettled', { ...job(cancelled), status: 'cancelled' }];
    expect(of(cancelled)).toEqual([...lost(cancelled, 'c'), settled]);
    for (const id of together) expect(of(id)).toEqual(lost(id, 'd'));
    expect(ready).toEqual([3]);
    for (const [id, status] of [
      [last, 'error'],
      [retried, 'queued'],
      [cancelled, 'cancelled'],
    ] as const)
      expect(await processor.getJobStatus(id)).toBe(status);
  });

  test('of jobs that the caller runs, and of those that are cancelled before they ran', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    const pulled = await processor.addJob('echo', {});
    const cancelled = await processor.addJob('echo', {}, { delay: '1h' });
    const told = listen(processor, 'attemptEnded', 'jobSettled');
    const job = await processor.pullNextJob();
    if (job) await processor.completeJob(job, {});
    await processor.cancelJob(cancelled);
    expect(told).toEqual([
      [
        'attemptEnded',
        { jobId: pulled, jobName: 'echo', queue: 'default', attempt: 1, outcome: 'completed' },
      ],
      ['jobSettled', { jobId: pulled, jobName: 'echo', status: 'completed' }],
      ['jobSettled', { jobId: cancelled, status: 'cancelled' }],
    ]);
  });

  test('of each step that ends, and of an attempt that is suspended', async () => {
    const processor = database.processor();
    const order = defineJob({
      name: 'order',
      run: async ({ step }) => {
        await step.run('charge', { retry: { attempts: 2, delay: 0 } }, ({ attempt }) => {
          if (attempt === 1) throw new Error('not yet');
        });
        await step.waitForSignal('paid');
        return step.run('hopeless', { retry: { attempts: 1 } }, () => Promise.reject(new Error('never')));
      },
    });
    await processor.addJobFactory(order);
    const jobId = await processor.addJob(order);
    const told = listen(processor, 'stepEnded', 'attemptEnded');
    await processor.drain();
    await processor.signal(jobId, 'paid');
    await processor.drain();
    const ended = (step: string, kind: string, state: string, tries: number) => [
      'stepEnded',
      { jobId, jobName: 'order', step, kind, state, tries, durationMs: expect.any(Number) },
    ];
    expect(told).toEqual([
      ended('charge', 'run', 'completed', 2),
      ['attemptEnded', expect.objectContaining({ outcome: 'suspended' })],
      ended('paid', 'signal', 'completed', 0),
      ended('hopeless', 'run', 'failed', 1),
      ['attemptEnded', expect.objectContaining({ outcome: 'errors' })],
    ]);
  });

  test('of a lease that is lost, once', async () => {
    const processor = database.processor({ lease: '1s' });
    const { factory, gate } = gatedJob();
    await processor.addJobFactory(factory);
    const jobId = await processor.addJob('gated');
    const told = listen(processor, 'leaseLost', 'attemptEnded');
    const draining = processor.drain();
    await eventually(() => expect(gate.arrived).toBe(1));
    const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
    await jobs.updateOne({ _id: jobId }, { $set: { 'lease.token': 'of somebody else' } });
    await draining;
    expect(told.map(([name]) => name)).toEqual(['leaseLost', 'attemptEnded']);
    expect(told[0]?.[1]).toMatchObject({ jobId, jobName: 'gated', attempt: 1 });
    expect(told[1]?.[1]).toMatchObject({ jobId, outcome: 'stale' });
  });

  test('of each of many jobs that are added, except those whose unique keys are taken', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    const told = listen(processor, 'jobAdded', 'jobsReady');
    const options = { uniqueKey: 'one' };
    const ids = await processor.addJobs([0, 1, 2].map(() => ({ name: 'echo', input: {}, options })));
    expect(new Set(ids).size).toBe(1);
    expect(told).toEqual([
      ['jobAdded', { jobId: ids[0], jobName: 'echo', queue: 'default' }],
      ['jobsReady', { jobs: [expect.objectContaining({ id: ids[0] })] }],
    ]);
  });

  test('of nothing that a transaction adds: it is not there yet', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    const told = listen(processor, 'jobAdded', 'jobsReady');
    await database.client.withSession((session) =>
      session.withTransaction(async () => {
        await processor.addJob('echo', {}, { session });
      }),
    );
    expect(told).toEqual([]);
    await processor.kick();
    expect(told.map(([name]) => name)).toEqual(['jobsReady']);
  });

  test('of the jobs of scheduler items', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    const told = listen(processor, 'jobAdded', 'jobsReady', 'scheduleFired');
    const at = new Date(Date.now() - 1_000);
    const scheduler = await processor.addScheduler({
      type: 'At',
      at,
      jobName: 'echo',
      input: {},
      active: true,
    });
    const [jobId] = await processor.scheduleDueItems();
    expect(told).toEqual([
      ['jobAdded', { jobId, jobName: 'echo', queue: 'default', scheduler }],
      ['scheduleFired', { jobId, jobName: 'echo', scheduler, at }],
      ['jobsReady', { jobs: [expect.objectContaining({ jobName: 'echo' })] }],
    ]);
  });

  test('to listeners in the order in which they came, and to none that left', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    const heard: string[] = [];
    const stop = processor.on('jobAdded', () => heard.push('first'));
    processor.on('jobAdded', () => heard.push('second'));
    await processor.addJob('echo', {});
    stop();
    stop();
    await processor.addJob('echo', {});
    expect(heard).toEqual(['first', 'second', 'second']);
  });

  test('to nobody else: summaries count the attempts of their own drain', async () => {
    const processor = database.processor({ maxThreads: 1 });
    const { factory, gate } = gatedJob();
    await processor.addJobFactory(factory);
    await processor.addJobs(Array.from({ length: 2 }, () => ({ name: 'gated' })));
    const drains = [processor.drain(), processor.drain()];
    await eventually(() => expect(gate.arrived).toBe(2));
    gate.open();
    expect(await Promise.all(drains)).toMatchObject([{ completed: 1 }, { completed: 1 }]);
  });
});

const failures: readonly [how: string, listener: () => unknown][] = [
  [
    'throws',
    () => {
      throw new Error('on purpose');
    },
  ],
  ['rejects', () => Promise.reject(new Error('on purpose'))],
  [
    'leaves a rejection',
    () => {
      void Promise.reject(new Error('on purpose'));
    },
  ],
];

describe('no job is harmed by a listener that', () => {
  test.each(failures)('%s: its error is logged once, with the name of the event', async (_, listener) => {
    const errors: LogFields[] = [];
    const log = { ...silent, error: (_message: string, fields: LogFields = {}) => void errors.push(fields) };
    const processor = database.processor({ log });
    const adding = defineJob({
      name: 'adding',
      run: async ({ processor: own }) => own.addJob('echo', {}),
    });
    await processor.addJobFactories([echo, adding]);
    for (const name of ['attemptStarted', 'attemptEnded', 'jobSettled'] as const)
      processor.on(name, listener);
    await processor.addJobs([{ name: 'adding' }, { name: 'adding' }]);
    processor.on('jobAdded', listener);
    processor.on('jobsReady', listener);
    expect(await processor.drain()).toMatchObject({ claimed: 4, completed: 4 });
    await eventually(() => expect(errors).toHaveLength(5));
    expect(errors.map(({ event }) => event).sort()).toEqual(
      ['attemptEnded', 'attemptStarted', 'jobAdded', 'jobSettled', 'jobsReady'].sort(),
    );
    for (const { error } of errors) expect(error).toContain('on purpose');
  });

  test('never returns', async () => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    for (const name of ['jobAdded', 'jobsReady', 'attemptStarted', 'attemptEnded', 'jobSettled'] as const)
      processor.on(name, () => new Promise(() => {}));
    const id = await processor.addJob('echo', {});
    expect(await processor.drain()).toMatchObject({ completed: 1 });
    expect(await processor.getJobStatus(id)).toBe('completed');
  });
});

test('listeners change nothing about the commands', async () => {
  const [quiet, heard] = [database.processor(), database.processor()];
  for (const processor of [quiet, heard]) await processor.addJobFactories([anything, failing]);
  listen(
    heard,
    'jobAdded',
    'jobsReady',
    'jobsClaimed',
    'attemptStarted',
    'attemptEnded',
    'jobSettled',
    'leaseLost',
  );
  const countOf = async (processor: RemoteProcessor) => {
    const commands = await database.commandsForJobs(async () => {
      await processor.addJobs([{ name: 'anything' }, { name: 'failing' }]);
      await processor.drain();
    });
    return commands.map(({ commandName }) => commandName);
  };
  expect(await countOf(heard)).toEqual(await countOf(quiet));
});

test('without listeners no event is made, except for the end of attempts, which the log tells', async () => {
  const tell = vi.spyOn(Events.prototype, 'tell');
  const processor = new RemoteProcessor({ db: database.db, log: silent, lease: '1s' });
  const { factory, gate } = gatedJob();
  await processor.addJobFactories([anything, failing, factory]);
  await processor.addScheduler({ type: 'At', at: new Date(0), jobName: 'anything', active: true });
  await processor.scheduleDueItems();
  await processor.addJob('anything');
  await processor.addJobs([{ name: 'anything' }, { name: 'failing' }]);
  await processor.cancelJob(await processor.addJob('anything', 1, { delay: '1h' }));
  const lost = await processor.addJob('gated');
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(1));
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  await jobs.updateOne({ _id: lost }, { $set: { 'lease.token': 'of somebody else' } });
  expect(await draining).toMatchObject({ claimed: 5, stale: 1 });
  // The processor of another test may still find out that a lease of its own was lost.
  const told = tell.mock.calls.map(([name, event], index) => ({
    name,
    event,
    by: tell.mock.contexts[index],
  }));
  const own = told.find(({ event }) => 'jobId' in event && event.jobId === lost)?.by;
  const names = told.filter(({ by }) => by === own).map(({ name }) => name);
  expect(new Set(names)).toEqual(new Set(['attemptEnded']));
});

test('a name that no event has, and a listener that is none, are refused', () => {
  const processor = database.processor();
  const on: (...args: unknown[]) => unknown = (...args) => Reflect.apply(processor.on, processor, args);
  expect(() => on('jobLost', () => {})).toThrow(ValidationError);
  expect(() => on('jobAdded', 'listener')).toThrow(/listener.*expected a function/);
});

test('listeners know by the name what they are called with', () => {
  const processor = database.processor();
  processor.on('attemptEnded', ({ outcome, durationMs, worker }) => {
    const known: [string, number | undefined, string | undefined] = [outcome, durationMs, worker];
    // @ts-expect-error: an attempt has no such outcome
    return outcome === 'exploded' ? known : (outcome satisfies string);
  });
  // @ts-expect-error: it has no result
  processor.on('jobAdded', ({ result }) => result);
  // @ts-expect-error: no event has this name
  expect(() => processor.on('jobLost', () => {})).toThrow(ValidationError);
});
