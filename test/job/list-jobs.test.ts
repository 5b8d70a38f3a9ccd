import fc from 'fast-check';
import type { Document } from 'mongodb';
import { expect, test } from 'vitest';
import {
  defineJob,
  type JobsFilter,
  RemoteException,
  type RemoteProcessor,
  ValidationError,
} from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';

const database = useDatabase({ monitorCommands: true });
const jobs = () => database.db.collection<{ _id: string }>(collectionNames.jobs);

/** What a list looks at, and a test says about a job; `made` in seconds. */
interface Listed {
  readonly id: string;
  readonly made: number;
  readonly status?: string;
  readonly jobName?: string;
  readonly queue?: string;
  readonly errors?: readonly string[];
  /** In seconds. Default: `made`. */
  readonly ended?: number;
}

/** Puts jobs there as they would be by now: no API adds a job in the past. */
async function put(...listed: readonly Listed[]): Promise<void> {
  const documents = listed.map(
    ({ id, made, status = 'queued', jobName = 'echo', queue = 'default', errors = [], ended = made }) => ({
      _id: id,
      jobName,
      queue,
      status,
      retryCounter: 0,
      created: new Date(made * 1000),
      ...(['error', 'cancelled', 'completed'].includes(status) && { completed: new Date(ended * 1000) }),
      errors: errors.map((message) => ({ message })),
    }),
  );
  if (documents.length > 0) await jobs().insertMany(documents);
}

async function idsOf(processor: RemoteProcessor, filter?: JobsFilter): Promise<string[]> {
  return (await processor.jobs.list(filter)).jobs.map(({ id }) => id);
}

/** All pages, one after the other; `between` them the world goes on. */
async function allPages(
  processor: RemoteProcessor,
  filter: JobsFilter,
  between: () => Promise<void> = async () => {},
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await processor.jobs.list({ ...filter, cursor });
    ids.push(...page.jobs.map(({ id }) => id));
    cursor = page.cursor;
    await between();
  } while (cursor !== undefined);
  return ids;
}

test('the newest come first, or the oldest; of those made at the same moment, by their ids', async () => {
  const processor = database.processor();
  await put({ id: 'b', made: 2 }, { id: 'c', made: 1 }, { id: 'a', made: 2 });
  expect(await idsOf(processor)).toEqual(['b', 'a', 'c']);
  expect(await idsOf(processor, { order: 'oldest' })).toEqual(['c', 'a', 'b']);
  expect((await processor.getJobs()).map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  expect((await processor.getJobs({ order: 'newest', limit: 1 })).map(({ id }) => id)).toEqual(['b']);
});

test('jobs that failed or were cancelled are listed by when they ended, not by when they were added', async () => {
  const processor = database.processor();
  await put(
    { id: 'old', made: 1, ended: 9, status: 'error' },
    { id: 'new', made: 5, ended: 6, status: 'error' },
    { id: 'middle', made: 3, ended: 7, status: 'error' },
    { id: 'stopped late', made: 1, ended: 4, status: 'cancelled' },
    { id: 'stopped', made: 2, ended: 3, status: 'cancelled' },
  );
  expect(await allPages(processor, { status: 'error', limit: 1 })).toEqual(['old', 'middle', 'new']);
  expect(await allPages(processor, { status: 'error', limit: 1, order: 'oldest' })).toEqual([
    'new',
    'middle',
    'old',
  ]);
  expect(await idsOf(processor, { status: 'cancelled' })).toEqual(['stopped late', 'stopped']);
});

test('by status, name, queue, and any of them together', async () => {
  const processor = database.processor();
  await put(
    { id: 'a', made: 1 },
    { id: 'b', made: 2, status: 'error' },
    { id: 'c', made: 3, status: 'error', jobName: 'charge' },
    { id: 'd', made: 4, status: 'error', jobName: 'charge', queue: 'slow' },
    { id: 'e', made: 5, status: 'completed', jobName: 'charge', queue: 'slow' },
  );
  expect(await idsOf(processor, { status: 'error' })).toEqual(['d', 'c', 'b']);
  expect(await idsOf(processor, { jobName: 'charge' })).toEqual(['e', 'd', 'c']);
  expect(await idsOf(processor, { queue: 'default' })).toEqual(['c', 'b', 'a']);
  expect(await idsOf(processor, { jobName: 'charge', queue: 'slow' })).toEqual(['e', 'd']);
  expect(await idsOf(processor, { status: 'completed', queue: 'slow' })).toEqual(['e']);
  expect(await idsOf(processor, { status: 'error', jobName: 'charge', queue: 'slow' })).toEqual(['d']);
  expect(await idsOf(processor, { status: 'cancelled' })).toEqual([]);
});

test('a page ends with a cursor for the next, and the last one without', async () => {
  const processor = database.processor();
  await put({ id: 'a', made: 1 }, { id: 'b', made: 1 }, { id: 'c', made: 1 }, { id: 'd', made: 2 });
  const first = await processor.jobs.list({ limit: 2 });
  const second = await processor.jobs.list({ limit: 2, cursor: first.cursor });
  expect([first, second].map(({ jobs }) => jobs.map(({ id }) => id))).toEqual([
    ['d', 'c'],
    ['b', 'a'],
  ]);
  expect(second.cursor).toBeUndefined();
});

test.each([
  '',
  'abc',
  '!',
  Buffer.from('[1]').toString('base64url'),
  Buffer.from('[9e99,"a"]').toString('base64url'),
])('a cursor that no page gave is refused: %j', async (cursor) => {
  const listed = database.processor().jobs.list({ cursor });
  await expect(listed).rejects.toThrow(ValidationError);
  await expect(listed).rejects.toMatchObject({ issues: [{ path: 'cursor' }] });
});

test.each([
  { status: { $ne: 'queued' } },
  { jobName: { $gt: '' } },
  { errorText: { $regex: '.' } },
  { errorText: '' },
  { errorText: 'a\0' },
  { limit: 1001 },
  { order: 'oldest first' },
  { after: 'a' },
])('what is no filter is refused: %j', async (filter) => {
  // @ts-expect-error the types refuse it already
  await expect(database.processor().jobs.list(filter)).rejects.toThrow(ValidationError);
});

test('names and queues that look like operators are names', async () => {
  const processor = database.processor();
  await put({ id: 'a', made: 1, jobName: '$jobName', queue: '$$NOW' }, { id: 'b', made: 2 });
  expect(await idsOf(processor, { jobName: '$jobName' })).toEqual(['a']);
  expect(await idsOf(processor, { queue: '$$NOW' })).toEqual(['a']);
  expect(await idsOf(processor, { jobName: '$jobName', queue: '$$NOW' })).toEqual(['a']);
});

test('the text of an error is found in any error of a job, whatever its case', async () => {
  const processor = database.processor();
  await put(
    { id: 'a', made: 1, errors: ['Connection REFUSED', 'Timed out'] },
    { id: 'b', made: 2, errors: ['Timed out', 'connection refused by peer'] },
    { id: 'c', made: 3, errors: ['Timed out'] },
    { id: 'd', made: 4 },
  );
  expect(await idsOf(processor, { errorText: 'connection Refused' })).toEqual(['b', 'a']);
});

test('so is the text of what was behind an error', async () => {
  const processor = database.processor({ maxThreads: 1 });
  const lost = defineJob({
    name: 'lost',
    run: async () => {
      throw new RemoteException('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    },
  });
  await processor.addJobFactory(lost);
  const id = await processor.addJob(lost);
  await processor.drain();
  expect(await idsOf(processor, { errorText: 'econnrefused' })).toEqual([id]);
  expect(await idsOf(processor, { errorText: 'ETIMEDOUT' })).toEqual([]);
});

const marks = String.raw`a.b*c+d?e^f$g{1}(h)|[i]\j/k-l#m"n'o $where ä€`;

test('the text of an error is text, not a pattern', async () => {
  const processor = database.processor();
  await put(
    { id: 'a', made: 1, errors: [`before ${marks} behind`] },
    { id: 'b', made: 2, errors: ['anything'] },
  );
  expect(await idsOf(processor, { errorText: marks })).toEqual(['a']);
  for (const mark of marks) {
    expect(await idsOf(processor, { errorText: mark })).toContain('a');
  }
  expect(await idsOf(processor, { errorText: '.*' })).toEqual([]);
  expect(await idsOf(processor, { errorText: '(' })).toEqual(['a']);
});

test('each job that is there all the while comes once, in order, whatever is added and removed between pages', async () => {
  const processor = database.processor();
  const moment = fc.integer({ min: 0, max: 3 });
  const other = fc.record({ made: moment, gone: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(moment, { maxLength: 12 }),
      fc.array(other, { maxLength: 12 }),
      fc.constantFrom('newest' as const, 'oldest' as const),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom<JobsFilter>({}, { jobName: 'echo' }, { queue: 'default', errorText: 'e' }),
      async (staying, others, order, limit, filter) => {
        await jobs().deleteMany({});
        const made = (id: string, moment: number) => ({ id, made: moment, errors: ['error'] });
        await put(...staying.map((moment, n) => made(`stays-${n}`, moment)));
        await put(
          ...others.flatMap(({ made: moment, gone }, n) => (gone ? [made(`other-${n}`, moment)] : [])),
        );
        let next = 0;
        const changeOne = async () => {
          const change = others[next];
          if (change === undefined) return;
          if (change.gone) await jobs().deleteOne({ _id: `other-${next}` });
          else await put(made(`other-${next}`, change.made));
          next += 1;
        };

        const listed = await allPages(processor, { ...filter, order, limit }, changeOne);

        expect(new Set(listed).size).toBe(listed.length);
        const expected = staying.map((moment, n) => [moment, `stays-${n}`] as const);
        expected.sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a - b));
        if (order === 'newest') expected.reverse();
        expect(listed.filter((id) => id.startsWith('stays'))).toEqual(expected.map(([, id]) => id));
      },
    ),
    { numRuns: 10 },
  );
});

/** What the finds of a list examine, each. */
async function examined(work: () => Promise<unknown>) {
  const commands = await database.commandsDuring(work);
  return Promise.all(
    commands.map(async ({ command }) => {
      const { find, filter = {}, sort, limit, skip, hint, min, max, projection } = command;
      const given: Document = { find, filter, sort, limit, skip, hint, min, max, projection };
      const search = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const { executionStats } = await database.db.command({ explain: search, verbosity: 'executionStats' });
      return { keys: executionStats.totalKeysExamined, documents: executionStats.totalDocsExamined };
    }),
  );
}

/** So many jobs, a hundred at each moment, of two names, queues and statuses. */
async function fill(count: number): Promise<void> {
  for (let from = 0; from < count; from += 10_000) {
    const some = Array.from({ length: Math.min(10_000, count - from) }, (_, n) => ({
      id: `job-${String(from + n).padStart(6, '0')}`,
      made: Math.floor((from + n) / 100),
      status: n % 2 === 0 ? 'error' : 'completed',
      jobName: n % 4 < 2 ? 'echo' : 'charge',
      queue: n % 8 < 4 ? 'default' : 'slow',
      errors: n % 1000 === 0 ? ['Rare'] : ['Common'],
    }));
    await put(...some);
  }
}

test.each([1000, 15_000])(
  'a list examines what it gives, and at most 5,000 by several conditions, of %i jobs',
  async (count) => {
    const processor = database.processor();
    await processor.ensureIndexes({ byQueue: true });
    await fill(count);
    for (const order of ['newest', 'oldest'] as const) {
      for (const filter of [{}, { status: 'error' }, { jobName: 'charge' }, { queue: 'slow' }] as const) {
        const { cursor } = await processor.jobs.list({ ...filter, order, limit: 50 });
        for (const from of [undefined, cursor]) {
          const finds = await examined(() =>
            processor.jobs.list({ ...filter, order, limit: 20, cursor: from }),
          );
          expect(finds).toEqual([{ keys: 21, documents: 21 }]);
        }
      }
      const byOthers = [
        { errorText: 'none' },
        { status: 'error', jobName: 'charge', queue: 'slow' },
        { status: 'queued' },
        { status: 'completed', queue: 'slow' },
      ] as const;
      for (const filter of byOthers) await expectBoundedList(processor, { ...filter, order });
    }
    await processor.ensureIndexes({ byQueue: false });
    await expectBoundedList(database.processor(), { queue: 'slow' });
  },
);

async function expectBoundedList(processor: RemoteProcessor, filter: JobsFilter): Promise<void> {
  await processor.jobs.list({ ...filter, limit: 1 }); // It may have to learn that an index is missing.
  const finds = await examined(() => processor.jobs.list({ ...filter, limit: 1000 }));
  expect(finds).toHaveLength(2);
  for (const { keys, documents } of finds) {
    expect(keys).toBeLessThanOrEqual(5001);
    expect(documents).toBeLessThanOrEqual(5001);
  }
}

test('a search goes on from where it stopped, and comes to the end', async () => {
  const processor = database.processor();
  await fill(12_000);
  const first = await processor.jobs.list({ errorText: 'rare', order: 'oldest' });
  expect(first.jobs).toHaveLength(5);
  expect(first.cursor).toBeDefined();
  for (const order of ['newest', 'oldest'] as const) {
    const found = await allPages(processor, { errorText: 'rare', order, limit: 3 });
    expect(found).toHaveLength(12);
    expect(new Set(found).size).toBe(12);
    expect(await allPages(processor, { errorText: 'nowhere', order })).toEqual([]);
  }
});

test('without its index, a list tells what to do', async () => {
  const processor = database.processor();
  await put({ id: 'a', made: 1 });
  await jobs().dropIndex('byJobName');
  await expect(processor.jobs.list({ jobName: 'echo' })).rejects.toThrow('ensureIndexes');
  await processor.ensureIndexes();
  expect(await idsOf(processor, { jobName: 'echo' })).toEqual(['a']);
});

test("a queue's jobs are listed with and without the index of queues, which is made, left and dropped as asked", async () => {
  const processor = database.processor();
  const hasIndex = async () => (await jobs().indexes()).some(({ name }) => name === 'byQueue');
  await put({ id: 'a', made: 1 }, { id: 'b', made: 2, queue: 'mail' }, { id: 'c', made: 3 });
  for (const [byQueue, expected] of [
    [undefined, false],
    [true, true],
    [undefined, true],
    [false, false],
  ] as const) {
    await processor.ensureIndexes({ byQueue });
    expect(await hasIndex()).toBe(expected);
    expect(await idsOf(database.processor(), { queue: 'default' })).toEqual(['c', 'a']);
    expect(await idsOf(processor, { queue: 'default' })).toEqual(['c', 'a']);
  }
});
