import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  defineJob,
  JobSuspended,
  type LogFields,
  type Middleware,
  RemoteException,
  type RemoteProcessor,
  ValidationError,
} from '../src/index.js';
import { silent, useDatabase } from './database.js';
import { eventually } from './eventually.js';
import { anything, echo, Gate } from './jobs.js';

const database = useDatabase({ monitorCommands: true });
const later = { delay: '1h' } as const;
const never = () => new Promise(() => {});
const refusing = () => {
  throw new Error('not today');
};

async function setup(...middlewares: readonly Middleware[]): Promise<RemoteProcessor> {
  const processor = database.processor({ maxThreads: 3 });
  await processor.addJobFactories([echo, anything]);
  for (const middleware of middlewares) processor.use(middleware);
  return processor;
}

/** Middleware that takes down when it is entered and left. */
function noting(notes: string[], name: string): Middleware {
  const note = async (next: () => Promise<unknown>) => {
    notes.push(`${name} before`);
    await next();
    notes.push(`${name} after`);
  };
  return { add: (_, next) => note(next), run: (_, next) => note(next) };
}

const dueItem = { type: 'At', at: new Date(0), jobName: 'echo', input: {}, active: true } as const;

/** All ways in which a job is added. */
const ways: readonly [way: string, add: (processor: RemoteProcessor) => Promise<string | undefined>][] = [
  ['addJob', (processor) => processor.addJob('echo', {})],
  ['addJobs', async (processor) => (await processor.addJobs([{ name: 'echo', input: {} }]))[0]],
  [
    'runNow',
    async (processor) => processor.runNow(await processor.addScheduler({ ...dueItem, active: false })),
  ],
  [
    'scheduleDueItems',
    async (processor) => {
      await processor.addScheduler(dueItem);
      return (await processor.scheduleDueItems())[0];
    },
  ],
  [
    'scheduleNextJob',
    async (processor) => {
      await processor.addScheduler(dueItem);
      return processor.scheduleNextJob();
    },
  ],
  [
    'a change of an item that is due',
    async (processor) => {
      const id = await processor.addScheduler(dueItem);
      await processor.deactivateScheduler(id);
      return (await processor.getJobs())[0]?.id;
    },
  ],
];

describe('middleware around adding', () => {
  test.each(ways)('is called once for a job of %s, which it may change', async (_, add) => {
    const seen: unknown[] = [];
    const processor = await setup({
      add: async (job, next) => {
        const { jobId, jobName, input, scheduler } = job;
        seen.push([jobName, input, scheduler === undefined ? 'code' : 'item']);
        job.priority = 7;
        job.queue = 'changed';
        job.metadata.tenant = '$acme';
        await next();
        seen.push((await processor.getJob(jobId))?.status);
      },
    });
    const id = await add(processor);
    expect(seen).toEqual([['echo', {}, _.startsWith('addJob') ? 'code' : 'item'], 'queued']);
    const metadata = { tenant: '$acme' };
    expect(await processor.getJob(String(id))).toMatchObject({ priority: 7, queue: 'changed', metadata });
  });

  test.each(ways)('refuses a job of %s by throwing: nothing is written', async (_, add) => {
    const processor = await setup({ add: refusing });
    const added = await add(processor).catch((error: unknown) => error);
    if (added !== undefined) expect(added).toMatchObject({ message: 'not today' });
    expect(await processor.getJobs()).toEqual([]);
  });

  test('that refuses the job of one item makes those of others, and is asked again by the next tick', async () => {
    const errors: LogFields[] = [];
    const log = { ...silent, error: (_: string, fields: LogFields = {}) => void errors.push(fields) };
    const processor = database.processor({ log });
    await processor.addJobFactory(anything);
    let isRefusing = true;
    processor.use({
      add: async ({ input }, next) => {
        if (input === 'throws' && isRefusing) refusing();
        if (input === 'hangs' && isRefusing) await never();
        await next();
      },
    });
    for (const input of ['throws', 'hangs', 'is well'])
      await processor.addScheduler({ ...dueItem, jobName: 'anything', id: input, input });
    await processor.scheduleDueItems();
    expect((await processor.getJobs()).map(({ input }) => input)).toEqual(['is well']);
    expect(errors.map(({ item }) => item).sort()).toEqual(['hangs', 'throws']);
    isRefusing = false;
    await processor.scheduleDueItems();
    expect((await processor.getJobs()).map(({ input }) => input).sort()).toEqual([
      'hangs',
      'is well',
      'throws',
    ]);
  });

  test('of which one refuses one of many refuses all, and lets the others know', async () => {
    const ends: string[] = [];
    const processor = await setup({
      add: async ({ input }, next) => {
        if (input === 1) refusing();
        await next().catch(({ message }: Error) => ends.push(message));
      },
    });
    const jobs = [0, 1, 2].map((input) => ({ name: 'anything', input }));
    await expect(processor.addJobs(jobs)).rejects.toThrow('not today');
    expect(await processor.getJobs()).toEqual([]);
    expect(ends).toEqual(['not today', 'not today']);
  });

  test.each<[how: string, add: Middleware['add'], message: RegExp]>([
    ['never calls next', () => {}, /ended without next/],
    ['hangs', never, /middleware did not answer/],
    [
      'calls next twice',
      async (_, next) => {
        await next().then(next);
      },
      /twice/,
    ],
    [
      'makes what no job can have',
      (job, next) => {
        job.priority = 99;
        return next();
      },
      /priority/,
    ],
    [
      'adds metadata of more than 2 KB',
      (job, next) => {
        job.metadata.much = 'x'.repeat(2048);
        return next();
      },
      /metadata/,
    ],
    [
      'adds metadata with a name that is none',
      (job, next) => {
        job.metadata['$set.a'] = 'x';
        return next();
      },
      /metadata/,
    ],
  ])('that %s refuses the job', async (how, add, message) => {
    const processor = await setup({ add });
    const adding = processor.addJob('echo', {}, { ...later, patience: how === 'hangs' ? 50 : '13s' });
    if (how !== 'calls next twice') {
      await expect(adding).rejects.toThrow(message);
      expect(await processor.getJobs()).toEqual([]);
    } else expect(await processor.getJobStatus(await adding)).toBe('queued');
  });

  test.each<[how: string, add: Middleware['add']]>([
    [
      'throws',
      async (_, next) => {
        await next();
        refusing();
      },
    ],
    [
      'hangs',
      async (_, next) => {
        await next();
        await never();
      },
    ],
  ])('that %s once the job is written changes nothing about that', async (_, add) => {
    const processor = await setup({ add });
    const id = await processor.addJob('echo', {});
    expect(await processor.getJobStatus(id)).toBe('queued');
  });

  test('is done one inside the other, in the order in which it came', async () => {
    const notes: string[] = [];
    const processor = await setup(noting(notes, 'outer'), noting(notes, 'inner'));
    await processor.addJob('echo', {});
    const both = ['outer before', 'inner before', 'inner after', 'outer after'];
    expect(notes).toEqual(both);
    await processor.drain();
    expect(notes).toEqual([...both, ...both]);
  });
});

describe('middleware around the function of a job', () => {
  test('sees its input, name, attempt, signal and metadata, and what it returned', async () => {
    const seen: unknown[] = [];
    const processor = await setup({
      run: async ({ input, jobName, attempt, signal, metadata, queue }, next) => {
        seen.push({ input, jobName, attempt, metadata, queue, aborted: signal.aborted });
        seen.push(await next());
        return 'of no account';
      },
    });
    const id = await processor.addJob('echo', { n: 1 }, { metadata: { tenant: 'acme' } });
    await processor.drain();
    expect(seen).toEqual([
      {
        input: { n: 1 },
        jobName: 'echo',
        attempt: 1,
        metadata: { tenant: 'acme' },
        queue: 'default',
        aborted: false,
      },
      { n: 1 },
    ]);
    expect(await processor.getJobResult(id)).toEqual({ n: 1 });
  });

  test.each<[how: string, run: Middleware['run'], status: string, message: string]>([
    ['throws', refusing, 'queued', 'not today'],
    ['rejects', () => Promise.reject(new Error('not today')), 'queued', 'not today'],
    [
      'throws after the function',
      async (_, next) => {
        await next().catch(refusing);
      },
      'queued',
      'not today',
    ],
    [
      'leaves a rejection',
      async (_, next) => {
        void Promise.reject(new Error('not today'));
        await new Promise(setImmediate);
        await next();
      },
      'queued',
      'not today',
    ],
    [
      'refuses for good',
      () => {
        throw new RemoteException('never');
      },
      'error',
      'never',
    ],
    ['ends without next', () => {}, 'queued', 'without next'],
    ['swallows the error of the function', (_, next) => next().catch(() => {}), 'queued', 'on purpose'],
  ])('that %s fails that attempt alone', async (_, run, status, message) => {
    const processor = await setup();
    const sad = defineJob({
      name: 'sad',
      run: () => {
        throw new Error('on purpose');
      },
    });
    await processor.addJobFactory(sad);
    processor.use({ run: (context, next) => (context.jobName === 'sad' ? run?.(context, next) : next()) });
    const id = await processor.addJob('sad', undefined, { retryDelay: '1h' });
    const others = await processor.addJobs([0, 1, 2].map((input) => ({ name: 'anything', input })));
    expect(await processor.drain()).toMatchObject({ claimed: 4, completed: 3 });
    expect(await processor.getJob(id)).toMatchObject({ status, retryCounter: 1 });
    const [error] = (await processor.getJob(id))?.errors ?? [];
    expect(error?.message).toContain(message);
    for (const other of others) expect(await processor.getJobStatus(other)).toBe('completed');
  });

  test('that hangs is bounded by the timeout of the job, whose function is not called any more', async () => {
    const processor = await setup();
    const gate = new Gate();
    let wasCalled = false;
    const quick = defineJob({
      name: 'quick',
      timeout: 100,
      input: z.unknown(),
      run: () => {
        wasCalled = true;
      },
    });
    await processor.addJobFactory(quick);
    let result: unknown;
    processor.use({
      run: async (_, next) => {
        await gate.pass(new AbortController().signal);
        await next().catch((error: unknown) => {
          result = error;
        });
      },
    });
    const id = await processor.addJob('quick', undefined, { retryDelay: '1h' });
    expect(await processor.drain()).toMatchObject({ retried: 1, abandoned: 1 });
    expect(await processor.getJobErrors(id)).toEqual([expect.stringContaining('timeout')]);
    gate.open();
    await eventually(() => expect(result).toMatchObject({ why: 'timed out' }));
    expect(wasCalled).toBe(false);
  });
});

test('middleware changes nothing about the commands', async () => {
  const [plain, wrapped] = [await setup(), await setup(noting([], 'one'), noting([], 'two'))];
  const commandsOf = async (processor: RemoteProcessor) => {
    const commands = await database.commandsForJobs(async () => {
      await processor.addJob('echo', {});
      await processor.addJobs([0, 1].map((input) => ({ name: 'anything', input })));
      await processor.drain();
    });
    return commands.map(({ commandName }) => commandName);
  };
  const [without, withIt] = [await commandsOf(plain), await commandsOf(wrapped)];
  expect(withIt).toEqual(without);
});

test('what is no middleware is refused', async () => {
  const processor = await setup();
  const use: (...args: unknown[]) => unknown = (...args) => Reflect.apply(processor.use, processor, args);
  expect(() => use({ run: 'text' })).toThrow(ValidationError);
  expect(() => use({ around: () => {} })).toThrow(/around/);
  expect(() => use(undefined)).toThrow(ValidationError);
});

test('middleware around steps fails a try before it, and nothing after it is stored', async () => {
  const processor = await setup();
  const seen: unknown[] = [];
  processor.use({
    run: async (_, next) => {
      await next().catch((error) => seen.push(error instanceof JobSuspended));
    },
    step: async ({ step, kind, attempt }, next) => {
      if (attempt === 1 && kind === 'run') throw new Error('not today');
      await next();
      seen.push(step);
      throw new Error('too late');
    },
  });
  const order = defineJob({
    name: 'order',
    run: async ({ step }) => {
      const charged = await step.run('charge', { retry: { attempts: 2, delay: 0 } }, () => 7);
      const rows = await step.iterate('rows', { start: 1 }, (row) =>
        row < 3 ? { next: row + 1 } : { done: row },
      );
      await step.waitForSignal('paid');
      return [charged, rows];
    },
  });
  await processor.addJobFactory(order);
  const id = await processor.addJob(order);
  await processor.drain();
  expect(seen).toEqual(['charge', 'rows', true]);
  await processor.signal(id, 'paid');
  await processor.drain();
  expect(seen).toEqual(['charge', 'rows', true]);
  expect(await processor.getJobResult(id)).toEqual([7, 3]);
  const { lines } = await processor.jobs.log(id);
  expect(lines[0]?.message).toContain("after step 'charge' was stored: too late");
});
