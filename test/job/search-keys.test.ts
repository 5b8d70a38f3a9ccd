import { expect, test } from 'vitest';
import * as z from 'zod';
import { defineJob, type RemoteProcessor, resultOf } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { anything } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

const order = defineJob({
  name: 'order',
  input: z.looseObject({ orderId: z.union([z.string(), z.number()]).optional() }),
  searchable: ['orderId', 'customer.id', 'isGift', 'lines'],
  run: async ({ input, step }) => {
    if (input.next !== undefined) await step.continueAs({ orderId: input.next });
    return input.orderId;
  },
});

async function withOrders(): Promise<RemoteProcessor> {
  const processor = database.processor();
  await processor.addJobFactories([order, anything]);
  return processor;
}

async function found(processor: RemoteProcessor, key: string): Promise<string[]> {
  return (await processor.jobs.list({ key })).jobs.map(({ id }) => id);
}

test('a job is found by each searchable value of its input: texts, numbers and booleans', async () => {
  const processor = await withOrders();
  const input = { orderId: 42, customer: { id: 'C-1' }, isGift: false, lines: [1], other: 1 };
  await processor.addJob(order, input, { id: 'a' });
  await processor.addJob(order, { orderId: '42', customer: { id: '' } }, { id: 'b' });
  await processor.addJob(order, { orderId: 'x'.repeat(201) }, { id: 'c' });
  await processor.addJob('anything', { orderId: 42 }, { id: 'd' });

  expect((await processor.getJob('a'))?.keys).toEqual(['orderId=42', 'customer.id=C-1', 'isGift=false']);
  expect(await found(processor, 'orderId=42')).toEqual(['b', 'a']);
  expect(await found(processor, 'customer.id=C-1')).toEqual(['a']);
  expect(await found(processor, 'isGift=false')).toEqual(['a']);
  expect(await found(processor, 'orderId=4')).toEqual([]);
  for (const id of ['c', 'd']) expect(await database.storedJob(id)).not.toHaveProperty('keys');
});

test('however a job is added, it is found', async () => {
  const worker = await withOrders();
  const producer = database.processor();
  await producer.addJob('order', { orderId: 1 }, { id: 'by-name' });
  await worker.addJobs([{ job: order, input: { orderId: 1 }, options: { id: 'of-many' } }]);
  await worker.addJob(order, { orderId: 0 }, { id: 'replaced', uniqueKey: 'k' });
  await worker.addJob(order, { orderId: 1 }, { unique: { key: 'k', mode: 'replace' } });
  await worker.addJob(order, { orderId: 0 }, { id: 'one-of-many', uniqueKey: 'm' });
  await worker.addJobs([
    { job: order, input: { orderId: 1 }, options: { unique: { key: 'm', mode: 'replace' } } },
  ]);
  const batch = await worker.addBatch([{ job: order, input: { orderId: 1 } }], { id: 'b' });
  expect(batch).toMatchObject({ id: 'b' });
  const item = await worker.addScheduler({
    type: 'At',
    at: new Date(Date.now() - 1000),
    jobName: 'order',
    input: { orderId: 1 },
    active: true,
    catchUp: 'once',
  });
  const now = await worker.schedules.runNow(item);
  const made = await worker.scheduleDueItems().then(() => worker.getScheduler(item));

  const ids = await found(worker, 'orderId=1');

  expect(ids).toEqual(
    expect.arrayContaining(['by-name', 'of-many', 'replaced', 'one-of-many', now, made?.lastJobId]),
  );
  expect(ids).toHaveLength(7);
  expect(await found(worker, 'orderId=0')).toEqual([]);
});

test('a job of a workflow is found by what others give it, and one that goes on by its new input', async () => {
  const processor = await withOrders();
  await processor.addWorkflow({
    id: 'w',
    jobs: {
      first: { job: anything, input: { customer: { id: 'C-9' }, orderId: 5 } },
      second: { job: order, input: resultOf<{ orderId: number }>('first') },
      third: {
        job: order,
        input: {
          orderId: resultOf<number>('first', 'orderId'),
          customer: resultOf<object>('first', 'customer'),
        },
      },
    },
  });
  await processor.addJob(order, { orderId: 6, next: 7 }, { id: 'going-on' });

  await processor.processJobs();

  expect(await found(processor, 'orderId=5')).toHaveLength(2);
  expect(await found(processor, 'customer.id=C-9')).toHaveLength(2);
  expect(await found(processor, 'orderId=6')).toEqual([]);
  expect(await found(processor, 'orderId=7')).toEqual(['going-on']);
});

/** Puts jobs there that were added at the same moment, or one millisecond after the other. */
async function put(count: number, distanceMs: number): Promise<void> {
  const documents = Array.from({ length: count }, (_, index) => ({
    _id: `j${String(index).padStart(4, '0')}`,
    jobName: 'order',
    queue: 'default',
    status: index % 10 === 0 ? 'error' : 'completed',
    retryCounter: 1,
    created: new Date(1_700_000_000_000 + index * distanceMs),
    completed: new Date(1_700_000_000_000),
    errors: [],
    keys: [`customer=${index % 2}`, 'all=1'],
  }));
  await database.db.collection<{ _id: string }>(collectionNames.jobs).insertMany(documents);
}

test.each([
  [0, 'newest'],
  [0, 'oldest'],
  [1, 'newest'],
  [1, 'oldest'],
] as const)(
  'pages hold each job once, with %i ms between the jobs, the %s first',
  async (distanceMs, order) => {
    const processor = await withOrders();
    await put(60, distanceMs);
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await processor.jobs.list({ key: 'customer=1', order, limit: 7, cursor });
      ids.push(...page.jobs.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined && ids.length < 60);

    const expected = Array.from({ length: 30 }, (_, index) => `j${String(2 * index + 1).padStart(4, '0')}`);
    expect(ids).toEqual(order === 'oldest' ? expected : expected.toReversed());
  },
);

test('a page examines one more job than it returns, and with other conditions it searches a part', async () => {
  const processor = await withOrders();
  await put(3000, 1);
  const examined = async (filter: Parameters<typeof processor.jobs.list>[0]) => {
    const commands = await database.commandsForJobs(() => processor.jobs.list(filter));
    const finds = commands.filter(({ commandName }) => commandName === 'find');
    let keys = 0;
    let documents = 0;
    for (const { command } of finds) {
      const { lsid: _, $db: __, $clusterTime: ___, txnNumber: ____, ...explain } = command;
      const { executionStats } = await database.db.command({ explain, verbosity: 'executionStats' });
      keys += executionStats.totalKeysExamined;
      documents += executionStats.totalDocsExamined;
    }
    return { commands: finds.length, keys, documents };
  };
  const first = await processor.jobs.list({ key: 'all=1', limit: 10 });

  for (const filter of [{}, { cursor: first.cursor }, { order: 'oldest' }] as const) {
    const cost = await examined({ key: 'all=1', limit: 10, ...filter });
    // After a cursor, the last job of the page before is looked at too.
    expect(cost.commands).toBe(1);
    expect(cost.documents).toBeLessThanOrEqual(12);
    expect(cost.keys).toBeLessThanOrEqual(13);
  }
  const { jobs, cursor } = await processor.jobs.list({ key: 'all=1', status: 'error', limit: 1000 });
  expect([jobs.length, cursor]).toEqual([300, undefined]);
  expect(await examined({ key: 'customer=0', errorText: 'x' })).toMatchObject({ commands: 2 });
});

test('what matches a key is counted, retried and cancelled', async () => {
  const processor = await withOrders();
  await put(20, 1);
  await processor.addJob(order, { orderId: 1 }, { id: 'queued' });

  expect(await processor.jobs.retryMany({ status: 'error', key: 'customer=0' })).toMatchObject({
    changed: 2,
  });
  const started = await processor.operations.start({ action: 'cancel', filter: { key: 'orderId=1' } });
  expect(started).toMatchObject({ filter: { status: 'queued', key: 'orderId=1' }, done: 1 });
  expect(await processor.getJobStatus('queued')).toBe('cancelled');
});

test.each(['orderId', '=1', ''])('the key %j is refused', async (key) => {
  const processor = await withOrders();
  await expect(processor.jobs.list({ key })).rejects.toMatchObject({ issues: [{ path: 'key' }] });
});

test.each([[['a', 'b', 'c', 'd', 'e', 'f']], [['a.*']], [['a=b']], [['a..b']], [[]]])(
  'the searchable paths %j are refused',
  (searchable) => {
    const define = () => defineJob({ name: 'a', input: z.unknown(), searchable, run: async () => null });
    expect(define).toThrow(/searchable/);
  },
);

test('a job of a kind without searchable paths is stored as before', async () => {
  const processor = await withOrders();
  const commands = await database.commandsForJobs(() => processor.addJob('anything', { a: 1 }));
  expect(commands).toHaveLength(1);
  expect(JSON.stringify(commands[0]?.command)).not.toContain('keys');
});
