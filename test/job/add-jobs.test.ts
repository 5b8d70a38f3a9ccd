import { Timestamp } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { ConflictError, type JobToAdd, UnknownJobNameError, ValidationError } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { anything, echo } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const stored = () => database.db.collection<{ _id: string }>(collectionNames.jobs);

async function setup() {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  return processor;
}

const echoes = (count: number): JobToAdd[] =>
  Array.from({ length: count }, (_, n) => ({ name: 'echo', input: { n } }));

test('thousands are inserted, two by a command, at times of the database, and their ids come in the same order', async () => {
  const processor = await setup();
  let ids: string[] = [];
  const commands = await database.commandsDuring(async () => {
    ids = await processor.addJobs(echoes(2500));
  });
  expect(commands.map(({ commandName }) => commandName)).toEqual(['hello', 'insert', 'insert']);
  expect(ids).toHaveLength(2500);
  expect(await stored().countDocuments()).toBe(2500);
  for (const n of [0, 999, 1000, 2499]) {
    expect(await processor.getJob(String(ids[n]))).toMatchObject({ input: { n }, status: 'queued' });
  }
});

test('each has its own options, and the same defaults as one that is added alone', async () => {
  const processor = await setup();
  const [plain, delayed] = await processor.addJobs([
    { name: 'echo', input: { $set: 1 } },
    {
      name: 'echo',
      input: {},
      options: { id: 'mine', delay: '1h', priority: 4, queue: 'mail', maxRetries: 9 },
    },
  ]);
  const alone = await processor.addJob('echo', { $set: 1 });
  const [first, single] = [await processor.getJob(String(plain)), await processor.getJob(alone)];
  const comparable = { id: '', runAt: null, created: null, queued: null };
  expect({ ...first, ...comparable }).toEqual({ ...single, ...comparable });
  expect(delayed).toBe('mine');
  const job = await processor.getJob('mine');
  expect(job).toMatchObject({ priority: 4, queue: 'mail', maxRetries: 9 });
  expect(Number(job?.runAt) - Number(job?.created)).toBe(3_600_000);
});

test('a factory that many jobs are added by is looked at once', async () => {
  const processor = await setup();
  let looks = 0;
  const watched: typeof echo = Object.defineProperty({ ...echo }, 'limits', {
    get: () => {
      looks += 1;
      return echo.limits;
    },
  });
  const jobs = Array.from({ length: 500 }, (_, n) => ({ job: watched, input: { n } }));
  expect(await processor.addJobs(jobs)).toHaveLength(500);
  await processor.addJob(watched, {});
  expect(looks).toBeLessThan(10);
});

describe('what is wrong is told with its place, and nothing is added', () => {
  test('inputs that the job refuses', async () => {
    const processor = await setup();
    const adding = processor.addJobs([...echoes(3), { name: 'echo', input: 7 }, { name: 'echo', input: [] }]);
    await expect(adding).rejects.toThrow(ValidationError);
    await expect(adding).rejects.toMatchObject({ issues: [{ path: '3.input' }, { path: '4.input' }] });
    expect(await stored().countDocuments()).toBe(0);
  });

  test.each([
    ['a name nobody knows', [{ name: 'ehco', input: {} }], UnknownJobNameError],
    ['a wrong option', [{ name: 'echo', input: {}, options: { priority: 10 } }], ValidationError],
    [
      'a session among the options of one',
      [{ name: 'echo', input: {}, options: { session: {} } }],
      ValidationError,
    ],
    ['a member nobody knows', [{ name: 'echo', inptu: {} }], ValidationError],
    ['no list', { name: 'echo' }, ValidationError],
    ['an input that cannot be stored', [{ name: 'echo', input: { f: () => 1 } }], ValidationError],
  ])('%s', async (_, jobs, error) => {
    const processor = await setup();
    await expect(processor.addJobs([...echoes(2), ...[jobs].flat()])).rejects.toThrow(error);
    expect(await stored().countDocuments()).toBe(0);
  });

  test('no jobs at all are no error', async () => {
    expect(await (await setup()).addJobs([])).toEqual([]);
  });
});

describe('adding twice', () => {
  test('the same ids and inputs adds nothing, and gives the same ids', async () => {
    const processor = await setup();
    const jobs = echoes(20).map((job, n) => ({ ...job, options: { id: `job ${n}` } }));
    const ids = await processor.addJobs(jobs.slice(0, 10));
    expect(await processor.addJobs(jobs)).toEqual([
      ...ids,
      ...jobs.slice(10).map(({ options }) => options.id),
    ]);
    expect(await stored().countDocuments()).toBe(20);
  });

  test.each([
    ['ids', (n: number) => ({ id: `job ${n}` }), ['hello', 'insert', 'find']],
    ['unique keys', (n: number) => ({ uniqueKey: `key ${n}` }), ['find']],
    ['unique keys that come twice', (n: number) => ({ uniqueKey: `key ${n % 700}` }), ['find']],
  ])(
    'thousands that have %s cost three commands at most, and no more when they are added again',
    async (_, optionsOf, names) => {
      const processor = await setup();
      const jobs = echoes(2000).map((job, n) => ({ ...job, options: optionsOf(n) }));
      const commandsOf = async (work: () => Promise<unknown>) =>
        (await database.commandsDuring(work)).map(({ commandName }) => commandName);
      let ids: string[] = [];
      const first = await commandsOf(async () => {
        ids = await processor.addJobs(jobs);
      });
      expect(first.filter((name) => name !== 'listIndexes').length).toBeLessThanOrEqual(3);
      const again = await commandsOf(async () => {
        expect(await processor.addJobs(jobs)).toEqual(ids);
      });
      expect(again).toEqual(names);
      expect(await stored().countDocuments()).toBe(new Set(ids).size);
    },
  );

  test('an id within one list counts once; with another input it is a conflict', async () => {
    const processor = await setup();
    const one = { name: 'echo', input: { n: 1 }, options: { id: 'a' } };
    expect(await processor.addJobs([one, one])).toEqual(['a', 'a']);
    const adding = processor.addJobs([...echoes(1), { ...one, input: { n: 2 } }]);
    await expect(adding).rejects.toThrow(ConflictError);
    expect(await processor.getJob('a')).toMatchObject({ input: { n: 1 } });
  });

  test('a unique key that is held, or comes twice, gives the id of the job that has it', async () => {
    const processor = await setup();
    const held = await processor.addJob('echo', {}, { uniqueKey: 'held' });
    const withKey = (uniqueKey: string) => ({ name: 'echo', input: {}, options: { uniqueKey } });
    const ids = await processor.addJobs([withKey('held'), withKey('new'), ...echoes(1), withKey('new')]);
    expect(ids[0]).toBe(held);
    expect(ids[3]).toBe(ids[1]);
    expect(await stored().countDocuments()).toBe(3);
  });

  test('many processes that add the same keys at once agree', async () => {
    const processor = await setup();
    const jobs = Array.from({ length: 50 }, (_, n) => ({
      name: 'echo',
      input: {},
      options: { uniqueKey: `key ${n}` },
    }));
    const all = await Promise.all(Array.from({ length: 5 }, () => processor.addJobs(jobs)));
    for (const ids of all) expect(ids).toEqual(all[0]);
    expect(await stored().countDocuments()).toBe(50);
  });
});

test('in a transaction they are there after the commit, or never', async () => {
  const processor = await setup();
  const held = await processor.addJob('echo', {}, { uniqueKey: 'held' });
  const jobs = [...echoes(3), { name: 'echo', input: {}, options: { uniqueKey: 'held' } }];
  await database.client.withSession((session) =>
    session.withTransaction(async () => {
      expect((await processor.addJobs(jobs, { session }))[3]).toBe(held);
      await session.abortTransaction();
    }),
  );
  expect(await stored().countDocuments()).toBe(1);
  await database.client.withSession((session) =>
    session.withTransaction(() => processor.addJobs(jobs, { session })),
  );
  expect(await stored().countDocuments()).toBe(4);
});

describe('of thousands that are inserted', () => {
  const many = (changed: Readonly<Record<number, Partial<JobToAdd>>>): JobToAdd[] =>
    Array.from({ length: 1001 }, (_, n) => ({ name: 'anything', input: n, ...changed[n] }));

  async function setup() {
    const processor = database.processor();
    await processor.addJobFactory(anything);
    return processor;
  }

  test('each is the same as one that is added alone, at a time that has passed', async () => {
    const processor = await setup();
    const options = { id: 'mine', delay: '1h', priority: 4 } as const;
    const runAt = new Date(Date.now() + 1_000);
    const ids = await processor.addJobs(
      many({ 7: { options }, 8: { options: { runAt, uniqueKey: 'key' } } }),
    );
    await processor.addJob('anything', 7, { ...options, id: 'alone' });
    const [mine, alone] = [await database.storedJob('mine'), await database.storedJob('alone')];
    const comparable = { _id: '', runAt: null, created: null, queued: null };
    expect({ ...mine, ...comparable }).toEqual({ ...alone, ...comparable });
    expect(Number(mine?.runAt) - Number(mine?.created)).toBe(3_600_000);
    expect(Number(mine?.created)).toBeLessThanOrEqual(Number(alone?.created));
    expect(await database.storedJob(String(ids[8]))).toMatchObject({ runAt, uniqueKey: 'key' });
  });

  test('inputs come back as they are, whatever they look like', async () => {
    const processor = await setup();
    const inputs = [{ $set: { 'a.b': '$$NOW' } }, '$input', new Date(5), null, { '': { $literal: 1 } }];
    const ids = await processor.addJobs(many(inputs.map((input) => ({ input }))));
    for (const [n, input] of inputs.entries())
      expect((await database.storedJob(String(ids[n])))?.input).toEqual(input);
  });

  test('an empty timestamp is not replaced by the time', async () => {
    const processor = await setup();
    const input = new Timestamp(0n);
    const [id] = await processor.addJobs(many({ 0: { input } }));
    expect((await database.storedJob(String(id)))?.input).toEqual(input);
  });

  test('one whose id something else has is a conflict, and that is left as it is', async () => {
    const processor = await setup();
    const theirs = { _id: 'taken', theirs: true };
    await stored().insertOne(theirs);
    await expect(processor.addJobs(many({ 3: { options: { id: 'taken' } } }))).rejects.toThrow(ConflictError);
    expect(await stored().findOne({ _id: 'taken' })).toEqual(theirs);
  });

  test('one whose key somebody took in the meantime gives the id of the job that has it', async () => {
    const processor = await setup();
    const jobs = many({ 3: { options: { uniqueKey: 'key' } }, 5: { options: { id: 'five' } } });
    const all = await Promise.all([1, 2, 3].map(() => processor.addJobs(jobs)));
    expect(new Set(all.map((ids) => ids[3])).size).toBe(1);
    expect(await stored().countDocuments()).toBe(3 * 999 + 2);
  });
});
