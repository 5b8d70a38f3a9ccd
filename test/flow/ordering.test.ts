import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  defineJob,
  RemoteException,
  type RemoteProcessor,
  Snooze,
  ValidationError,
} from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

const input = z.object({ order: z.string(), n: z.number() });

/** Collects the numbers in which the jobs of each key began, and checks that they never run beside each other. */
class Ledger {
  readonly begun = new Map<string, number[]>();
  readonly #running = new Set<string>();

  async during({ order, n }: z.output<typeof input>, work: () => Promise<void>): Promise<void> {
    expect(this.#running.has(order)).toBe(false);
    this.#running.add(order);
    this.begun.set(order, [...(this.begun.get(order) ?? []), n]);
    try {
      await work();
    } finally {
      this.#running.delete(order);
    }
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

test('jobs of a key run one at a time in the order in which they were added, through retries', async () => {
  const ledger = new Ledger();
  const snoozed = new Set<string>();
  const job = defineJob({
    name: 'event',
    input,
    ordering: { key: 'order' },
    maxRetries: 3,
    retryDelay: 0,
    run: ({ input, attempt, jobId }) =>
      ledger.during(input, async () => {
        await wait(1);
        if (input.n % 5 === 1 && attempt === 1) throw new Error('again');
        if (input.n % 5 !== 2 || snoozed.has(jobId)) return;
        snoozed.add(jobId);
        throw new Snooze(1);
      }),
  });
  const processors = [1, 2, 3].map(() => database.processor({ maxThreads: 8 }));
  for (const processor of processors) await processor.addJobFactory(job);
  const [first] = processors;
  const add = async () => {
    for (const n of numbers(10)) await first?.addJob(job, { order: 'single', n });
  };
  const bulk = numbers(20).flatMap((n) => ['a', 'b', 'c'].map((order) => ({ job, input: { order, n } })));
  await Promise.all([add(), first?.addJobs(bulk)]);
  await Promise.all(processors.map((processor) => processor.drain({ linger: '1s' })));
  const once = (order: string) => [...new Set(ledger.begun.get(order))];
  for (const order of ['a', 'b', 'c']) expect(once(order)).toEqual(numbers(20));
  expect(once('single')).toEqual(numbers(10));
  for (const begun of ledger.begun.values())
    expect(begun).toEqual([...begun].sort((one, other) => one - other));
});

describe('a failed job', () => {
  const failing = (onFailure: 'stop' | 'skip') =>
    defineJob({
      name: 'event',
      input,
      ordering: { key: 'order', onFailure },
      run: ({ input }) => {
        if (input.n === 1 && isBroken) throw new RemoteException('broken');
      },
    });
  let isBroken = true;

  test('holds up the jobs behind it until it is retried', async () => {
    const job = failing('stop');
    const processor = database.processor();
    await processor.addJobFactory(job);
    const ids = await processor.addJobs(numbers(4).map((n) => ({ job, input: { order: 'x', n } })));
    isBroken = true;
    expect(await processor.drain()).toMatchObject({ completed: 1, errors: 1 });
    expect(await processor.drain()).toMatchObject({ claimed: 0 });
    const [, failed = '', next = ''] = ids;
    expect(await processor.getJob(next)).toMatchObject({ status: 'queued', blockedBy: 'order event=x' });
    isBroken = false;
    await processor.retryJob(failed);
    expect(await processor.drain()).toMatchObject({ completed: 3 });
  });

  test.each([
    ['by itself', (processor: RemoteProcessor, id: string) => processor.removeJob(id)],
    ['with others', (processor: RemoteProcessor) => processor.removeJobs(['error'])],
  ])('lets the next one run when it is removed %s', async (_, remove) => {
    const job = failing('stop');
    const processor = database.processor();
    await processor.addJobFactory(job);
    const ids = await processor.addJobs(numbers(3).map((n) => ({ job, input: { order: 'x', n } })));
    isBroken = true;
    await processor.drain();
    await remove(processor, ids[1] ?? '');
    expect((await processor.pullNextJob())?.id).toBe(ids[2]);
  });

  test('is skipped by a person, and goes to the end of the line when it is retried', async () => {
    const job = failing('stop');
    const processor = database.processor();
    await processor.addJobFactory(job);
    const [, failed = ''] = await processor.addJobs(
      numbers(4).map((n) => ({ job, input: { order: 'x', n } })),
    );
    await expect(processor.limits.skip('order event=x')).rejects.toThrow(
      /No failed job stops 'order event=x'/,
    );
    isBroken = true;
    await processor.drain();
    expect((await processor.limits.list()).limits).toMatchObject([
      { key: 'order event=x', stoppedBy: failed, waiting: { count: 2 } },
    ]);
    expect((await processor.limits.get('order event=x')).holders).toMatchObject([
      { id: failed, status: 'error' },
    ]);
    expect(await processor.limits.skip('order event=x')).toBe(failed);
    isBroken = false;
    await processor.retryJob(failed);
    const order = [];
    for (let next = await processor.pullNextJob(); next; next = await processor.pullNextJob()) {
      order.push(next.input);
      await processor.completeJob(next);
    }
    expect(order).toMatchObject([{ n: 2 }, { n: 3 }, { n: 1 }]);
    await expect(processor.limits.skip('event=x')).rejects.toThrow(/expected a strict order/);
    await expect(processor.limits.set('order event=x', { max: 2 })).rejects.toThrow(/one job runs at a time/);
  });

  test('is skipped where the definition says so', async () => {
    const job = failing('skip');
    const processor = database.processor();
    await processor.addJobFactory(job);
    isBroken = true;
    await processor.addJobs(numbers(4).map((n) => ({ job, input: { order: 'x', n } })));
    expect(await processor.drain()).toMatchObject({ completed: 3, errors: 1 });
  });
});

describe('a job in line', () => {
  const job = defineJob({ name: 'event', input, ordering: { key: 'order' }, run: async () => {} });

  async function start() {
    const processor = database.processor();
    await processor.addJobFactory(job);
    const ids = await processor.addJobs(numbers(3).map((n) => ({ job, input: { order: 'x', n } })));
    const [first = '', second = '', third = ''] = ids;
    return { processor, first, second, third };
  }

  test('lets the next one run when it is cancelled', async () => {
    const { processor, first, second, third } = await start();
    expect((await processor.pullNextJob())?.id).toBe(first);
    await processor.cancelJob(second);
    expect(await processor.pullNextJob()).toBeUndefined();
    await processor.cancelJob(first);
    const { slots } = (await database.collections().jobs.findOne({ _id: first })) ?? expect.fail();
    expect(slots).toHaveLength(1); // It runs on until its worker ends it.
    expect(await processor.getJobStatus(third)).toBe('queued');
    expect(await processor.pullNextJob()).toBeUndefined();
  });

  test('keeps its place while its worker is lost', async () => {
    const { processor, first } = await start();
    expect((await processor.pullNextJob())?.id).toBe(first);
    const expired = { $set: { 'lease.expires': new Date(0) } };
    await database.collections().jobs.updateMany({ status: 'processing' }, expired);
    await processor.recoverJobs();
    expect((await processor.pullNextJob())?.id).toBe(first);
    expect(await processor.pullNextJob()).toBeUndefined();
  });

  test('has no priority and no moment of its own', async () => {
    const { processor, second } = await start();
    for (const changes of [{ priority: 5 }, { delay: '1h' }])
      await expect(processor.updateJob(second, changes)).rejects.toThrow(
        /runs in the order in which it was added/,
      );
    await processor.updateJob(second, { queue: 'other' });
    const { jobs } = database.collections();
    const before = await jobs.countDocuments();
    for (const option of [{ priority: 5 }, { delay: '1h' }, { runAt: new Date() }]) {
      const [field = ''] = Object.keys(option);
      const message = 'expected none: its jobs run in the order in which they are added';
      const toAdd = { order: 'x', n: 9 };
      await expect(processor.addJob(job, toAdd, option)).rejects.toMatchObject({
        issues: [{ path: field, message }],
      });
      await expect(processor.addJobs([{ job, input: toAdd, options: option }])).rejects.toMatchObject({
        issues: [{ path: `0.options.${field}`, message }],
      });
    }
    expect(await jobs.countDocuments()).toBe(before);
  });

  test('holds up the jobs behind it while its queue is paused', async () => {
    const { processor, first, second, third } = await start();
    await processor.updateJob(second, { queue: 'paused' });
    await processor.queues.pause('paused');
    const begun = (await processor.pullNextJob()) ?? expect.fail();
    expect(begun.id).toBe(first);
    await processor.completeJob(begun);
    expect(await processor.pullNextJob()).toBeUndefined();
    await processor.queues.resume('paused');
    expect((await processor.pullNextJob())?.id).toBe(second);
    expect(await processor.getJobStatus(third)).toBe('queued');
  });

  test('cannot be scheduled', async () => {
    const { processor } = await start();
    const scheduled = processor.addScheduler({
      job,
      input: { order: 'x', n: 9 },
      type: 'Cron',
      cron: '* * * * *',
    });
    await expect(scheduled).rejects.toThrow(/jobName: its jobs run in the order in which they are added/);
  });
});

test('jobs of a transaction are in line once it commits, and a kick lets them run', async () => {
  const job = defineJob({ name: 'event', input, ordering: { key: 'order' }, run: async () => {} });
  const processor = database.processor();
  await processor.addJobFactory(job);
  const { client } = database.collections();
  await client.withSession((session) =>
    session.withTransaction(async () => {
      await processor.addJob(job, { order: 'x', n: 0 }, { session });
      await processor.addJobs([{ job, input: { order: 'x', n: 1 } }], { session });
    }),
  );
  await processor.kick();
  expect((await processor.pullNextJob())?.input).toMatchObject({ n: 0 });
  expect(await processor.pullNextJob()).toBeUndefined();
});

test('any number of producers may add to the same orders at once', async () => {
  const job = defineJob({ name: 'event', input, ordering: { key: 'order' }, run: async () => {} });
  const processors = [1, 2].map(() => database.processor());
  for (const processor of processors) await processor.addJobFactory(job);
  const adding = numbers(40).map((n) => processors[n % 2]?.addJob(job, { order: 'x', n }));
  const many = numbers(4).map((n) =>
    processors[n % 2]?.addJobs(['x', 'y', 'z'].map((order) => ({ job, input: { order, n } }))),
  );
  await Promise.all([...adding, ...many]);
  const moments = await database.collections().jobs.distinct('runAt', { 'input.order': 'x' });
  expect(moments).toHaveLength(44);
});

test('a producer without the code puts jobs in line by the path of their key', async () => {
  const run = async () => {};
  const byPath = defineJob({ name: 'event', input, ordering: { key: 'order' }, run });
  const byFunction = defineJob({ name: 'other', input, ordering: { key: ({ order }) => order }, run });
  const worker = database.processor();
  await worker.addJobFactories([byPath, byFunction]);
  const producer = database.processor();
  const id = await producer.addJob('event', { order: 'x', n: 0 });
  await producer.addJob('event', { order: 'x', n: 1 });
  await expect(producer.addJob('other', { order: 'x', n: 0 })).rejects.toThrow(ValidationError);
  expect((await worker.pullNextJob())?.id).toBe(id);
  expect(await worker.pullNextJob()).toBeUndefined();
});

test('a definition is refused that has a priority beside its order', () => {
  const define = () => defineJob({ name: 'event', input, ordering: {}, priority: 3, run: async () => {} });
  expect(define).toThrow(/priority: expected none/);
});
