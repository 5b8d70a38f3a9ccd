import fc from 'fast-check';
import { Int32, Long, ObjectId } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  ConflictError,
  defineJob,
  RemoteProcessor,
  UnknownJobNameError,
  ValidationError,
} from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';
import { anything, echo, flaky } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

async function setup() {
  const processor = database.processor();
  await processor.addJobFactories([echo, anything, flaky]);
  return processor;
}

const stored = () => database.db.collection(collectionNames.jobs).countDocuments();

test('a job is stored with the documented fields and defaults, by the database clock', async () => {
  const processor = await setup();
  const id = await processor.addJob('echo', { foo: 'bar' });
  const document = await database.db.collection(collectionNames.jobs).findOne({ jobName: 'echo' });
  expect(document).toEqual({
    _id: id,
    jobName: 'echo',
    queue: 'default',
    priority: 0,
    status: 'queued',
    claimable: true,
    input: { foo: 'bar' },
    runAt: expect.any(Date),
    created: expect.any(Date),
    queued: expect.any(Date),
    retryCounter: 0,
    givenBackCounter: 0,
    maxRetries: 3,
    retryDelay: 10_000,
    errors: [],
  });
  expect(ObjectId.isValid(id)).toBe(true);
});

test('the factory types the input', async () => {
  const processor = await setup();
  const id = await processor.addJob(echo, { foo: 1 }, { priority: 3 });
  expect(await processor.getJob(id)).toMatchObject({ input: { foo: 1 }, priority: 3 });
});

test('defaults come from the factory, and options go before them', async () => {
  const processor = database.processor();
  const nightly = defineJob({
    name: 'nightly',
    queue: 'slow',
    priority: 2,
    maxRetries: 7,
    retryDelay: '5m',
    run: async () => null,
  });
  await processor.addJobFactory(nightly);
  const byDefault = await processor.getJob(await processor.addJob('nightly'));
  expect(byDefault).toMatchObject({ queue: 'slow', priority: 2, maxRetries: 7, retryDelay: 300_000 });
  const options = { queue: 'fast', priority: 9, maxRetries: 1, retryDelay: 5 };
  expect(await processor.getJob(await processor.addJob('nightly', undefined, options))).toMatchObject(
    options,
  );
});

test('delay counts from the database clock, runAt is taken as it is', async () => {
  const processor = await setup();
  const delayed = await processor.getJob(await processor.addJob('flaky', undefined, { delay: '1h' }));
  expect(Number(delayed?.runAt) - Number(delayed?.created)).toBe(3_600_000);
  const runAt = new Date('2031-05-06T07:08:09Z');
  expect((await processor.getJob(await processor.addJob('flaky', undefined, { runAt })))?.runAt).toEqual(
    runAt,
  );
  expect(await processor.processNextJob()).toBe(false);
});

describe('adding the same id twice', () => {
  test('with the same input returns that id and changes nothing', async () => {
    const processor = await setup();
    expect(await processor.addJob('echo', { a: { b: 1 } }, { id: 'mine' })).toBe('mine');
    await processor.processNextJob();
    expect(await processor.addJob('echo', { a: { b: 1 } }, { id: 'mine' })).toBe('mine');
    expect(await processor.getJobStatus('mine')).toBe('completed');
  });

  test('with the same input returns that id, also when it has values that are read back as others', async () => {
    const processor = await setup();
    const add = () =>
      processor.addJob('anything', { n: new Int32(1), of: [Long.fromNumber(2)], no: undefined }, { id: 'a' });
    await add();
    expect(await add()).toBe('a');
  });

  test('with another input is a conflict', async () => {
    const processor = await setup();
    await processor.addJob('echo', { a: 1 }, { id: 'mine' });
    await expect(processor.addJob('echo', { a: 2 }, { id: 'mine' })).rejects.toThrow(ConflictError);
    await expect(processor.addJob('anything', { a: 1 }, { id: 'mine' })).rejects.toThrow(ConflictError);
    expect(await processor.getJob('mine')).toMatchObject({ input: { a: 1 } });
  });

  test('from many clients at once adds one job', async () => {
    const processor = await setup();
    const ids = await Promise.all(
      Array.from({ length: 20 }, () => processor.addJob('echo', {}, { id: 'mine' })),
    );
    expect(new Set(ids)).toEqual(new Set(['mine']));
    expect(await stored()).toBe(1);
  });
});

describe('a unique key', () => {
  test('gives the id of the unsettled job that has it, and is free once that is settled', async () => {
    const processor = await setup();
    const first = await processor.addJob('echo', { n: 1 }, { uniqueKey: 'k' });
    expect(await processor.addJob('echo', { n: 2 }, { uniqueKey: 'k' })).toBe(first);
    await processor.processNextJob();
    expect(await processor.getJobStatus(first)).toBe('completed');
    expect(await processor.addJob('echo', { n: 3 }, { uniqueKey: 'k' })).not.toBe(first);
  });

  test('is given up by jobs that complete together, which are known by it still', async () => {
    const processor = database.processor({ maxThreads: 5 });
    await processor.addJobFactory(echo);
    const keys = ['a', 'b', 'c', 'd', 'e'];
    const ids = await Promise.all(keys.map((uniqueKey) => processor.addJob('echo', {}, { uniqueKey })));
    await processor.drain();
    const freed = await database.db.collection(collectionNames.jobs).find({ status: 'completed' }).toArray();
    expect(freed.map(({ uniqueKey, freedUniqueKey }) => [uniqueKey, freedUniqueKey]).sort()).toEqual(
      keys.map((key) => [undefined, key]),
    );
    const others = await Promise.all(keys.map((uniqueKey) => processor.addJob('echo', {}, { uniqueKey })));
    expect(others.filter((id) => ids.includes(id))).toEqual([]);
  });

  test('is kept while a job waits for its next attempt, and freed by cancelling', async () => {
    const processor = await setup();
    const first = await processor.addJob('flaky', undefined, { uniqueKey: 'k' });
    await processor.processNextJob();
    expect(await processor.addJob('flaky', undefined, { uniqueKey: 'k' })).toBe(first);
    await processor.cancelJob(first);
    expect(await processor.addJob('flaky', undefined, { uniqueKey: 'k' })).not.toBe(first);
  });

  test('belongs to a job name', async () => {
    const processor = await setup();
    const first = await processor.addJob('echo', {}, { uniqueKey: 'k' });
    expect(await processor.addJob('anything', {}, { uniqueKey: 'k' })).not.toBe(first);
  });

  test('holds when many add at the same moment', async () => {
    const processor = await setup();
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) => processor.addJob('echo', { n }, { uniqueKey: 'k' })),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await stored()).toBe(1);
  });
});

describe('in a transaction of the caller', () => {
  test('the job is there after the commit, and not before', async () => {
    const processor = await setup();
    const id = await database.client.withSession((session) =>
      session.withTransaction(async () => {
        const added = await processor.addJob('echo', { a: 1 }, { session, uniqueKey: 'k' });
        expect(await processor.getJob(added)).toBeUndefined();
        expect(await processor.processNextJob()).toBe(false);
        return added;
      }),
    );
    expect(await processor.getJobStatus(id)).toBe('queued');
  });

  test('the job is gone after an abort', async () => {
    const processor = await setup();
    await database.client.withSession(async (session) => {
      session.startTransaction();
      await processor.addJob('echo', { a: 1 }, { session });
      await session.abortTransaction();
    });
    expect(await stored()).toBe(0);
  });

  test('a unique key that is taken gives its holder, and the transaction goes on', async () => {
    const processor = await setup();
    const holder = await processor.addJob('echo', {}, { uniqueKey: 'k' });
    await database.client.withSession((session) =>
      session.withTransaction(async () => {
        expect(await processor.addJob('echo', {}, { session, uniqueKey: 'k' })).toBe(holder);
        await processor.addJob('echo', {}, { session, id: 'other' });
      }),
    );
    expect(await processor.getJobStatus('other')).toBe('queued');
  });
});

describe('what is refused stores nothing', () => {
  test('an unknown name: the error lists the known ones', async () => {
    const processor = await setup();
    const adding = processor.addJob('ehco', {});
    await expect(adding).rejects.toThrow(UnknownJobNameError);
    await expect(adding).rejects.toMatchObject({
      code: 'unknown_job_name',
      known: ['anything', 'echo', 'flaky'],
    });
    expect(await stored()).toBe(0);
  });

  test.each([
    ['a string', 'text'],
    ['an array', []],
    ['nothing', undefined],
    ['null', null],
  ])('an input that the schema refuses: %s', async (_, input) => {
    const processor = await setup();
    await expect(processor.addJob('echo', input)).rejects.toThrow(ValidationError);
    expect(await stored()).toBe(0);
  });

  test.each([
    ['a list for options', []],
    ['a number for options', 5],
    ['null for options', null],
    ['no session for session', { session: {} }],
    ['a bigint as delay', { delay: 1n }],
    ['a lone surrogate in its queue', { queue: '\ud800' }],
    ['a NUL in its queue', { queue: 'a\0' }],
    ['a number for id', { id: 7 }],
    ['an empty id', { id: '' }],
    ['an operator for id', { id: { $gt: '' } }],
    ['a long id', { id: 'x'.repeat(501) }],
    ['an id that has no address', { id: '.' }],
    ['another id that has none', { id: '..' }],
    ['a queue that has no address', { queue: '..' }],
    ['a fraction as priority', { priority: 1.5 }],
    ['a priority above 9', { priority: 10 }],
    ['a priority below 0', { priority: -1 }],
    ['no attempts', { maxRetries: 0 }],
    ['a negative delay', { delay: -1 }],
    ['a delay without a unit', { delay: '10' }],
    ['a delay that is none', { delay: 'soon' }],
    ['a delay beyond all dates', { delay: 1e15 }],
    ['a moment that is none', { runAt: 'tomorrow' }],
    ['an invalid date', { runAt: new Date(Number.NaN) }],
    ['both delay and runAt', { delay: 1, runAt: new Date() }],
    ['an operator for uniqueKey', { uniqueKey: { $ne: null } }],
    ['an empty queue', { queue: '' }],
    ['an unknown option', { retries: 3 }],
  ])('options with %s', async (_, options) => {
    const processor = await setup();
    // @ts-expect-error the types refuse most of these already
    await expect(processor.addJob('echo', {}, options)).rejects.toThrow(ValidationError);
    expect(await stored()).toBe(0);
  });

  test.each([
    ['a function', { f: () => {} }],
    ['undefined in an array', { list: [undefined] }],
    ['a class instance', { map: new Map() }],
    ['a bigint', { big: 1n }],
    ['a lone surrogate', { text: '\ud800' }],
    ['a NUL in a key', { 'a\0b': 1 }],
    ['what the driver takes for its own', { _bsontype: 'ObjectId', id: 'x' }],
    ['a database reference', { $ref: 'jobs', $id: 1 }],
    ['a prototype', JSON.parse('{ "__proto__": { "admin": true } }')],
    ['an invalid date', { at: new Date(Number.NaN) }],
    ['too many levels', JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`)],
    ['more than 16 MB', { text: 'x'.repeat(17 * 1024 * 1024) }],
  ])('an input that MongoDB would not give back: %s', async (_, input) => {
    const processor = await setup();
    await expect(processor.addJob('anything', input)).rejects.toThrow(ValidationError);
    expect(await stored()).toBe(0);
  });

  test.each([
    ['a circular input', circular(), /self: expected no circular reference/],
    ['a tree whose nodes know their parents', familyTree(), /children\.0\.parent: expected no circular/],
    ['a value that has itself in it again and again, 40 times over', halved(40), /over 3495254 values/],
    ['a list of nothing but holes', new Array(2 ** 32 - 1), /expected a value that can be stored/],
  ])('%s is refused at once', async (_, input, message) => {
    const processor = await setup();
    await expect(processor.addJob('anything', { input })).rejects.toThrow(message);
    expect(await stored()).toBe(0);
  });
});

function circular(): unknown {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}

function familyTree(): unknown {
  const parent: { children: unknown[] } = { children: [] };
  parent.children = [{ parent }, { parent }];
  return parent;
}

function halved(times: number): unknown {
  let value: unknown = null;
  for (let n = 0; n < times; n += 1) value = [value, value];
  return value;
}

test('a list by a name that every object has is refused, for the driver would give back bytes', async () => {
  const processor = await setup();
  for (const key of ['valueOf', 'toString', 'constructor'])
    await expect(processor.addJob('anything', { [key]: [{}] })).rejects.toMatchObject({
      issues: [{ path: key, message: `the key '${key}' cannot be stored` }],
    });
  const input = { valueOf: { a: 1 }, toString: 'text' };
  expect((await processor.getJob(await processor.addJob('anything', input)))?.input).toEqual(input);
});

test('any JSON comes back unchanged from input and output, or is refused', async () => {
  const processor = await setup();
  const tricky = fc.constantFrom(
    '$set',
    '$where',
    '$expr',
    '$$NOW',
    '$ref',
    '_bsontype',
    '__proto__',
    'a.b',
    '',
    '$',
  );
  const json = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), tricky, tie('object'), fc.array(tie('value'))),
    object: fc.dictionary(fc.oneof(tricky, fc.string()), tie('value')),
  })).value;
  await fc.assert(
    fc.asyncProperty(json, async (generated) => {
      const input: unknown = JSON.parse(JSON.stringify(generated));
      const before = await stored();
      try {
        const id = await processor.addJob('anything', input);
        await processor.processNextJob();
        const job = await processor.getJob(id);
        expect([job?.status, job?.input, job?.output]).toEqual(['completed', input, input]);
      } catch (error) {
        expect(error).toBeInstanceOf(ValidationError);
        expect(await stored()).toBe(before);
      }
    }),
    { numRuns: 40 },
  );
});

describe('a process without the code', () => {
  const strangers = () => new RemoteProcessor({ db: database.db, log: silent });

  test('adds by name, checked against the stored schema, with the stored defaults', async () => {
    const worker = database.processor();
    await worker.addJobFactory(
      defineJob({ name: 'greet', input: z.object({ name: z.string() }), priority: 4, run: async () => 'hi' }),
    );
    const id = await strangers().addJob('greet', { name: 'Ada' });
    await expect(strangers().addJob('greet', { name: 7 })).rejects.toThrow(
      "Input of job 'greet' is invalid: name",
    );
    await expect(strangers().addJob('greet')).rejects.toThrow(ValidationError);
    expect(await worker.getJob(id)).toMatchObject({ priority: 4, status: 'queued' });
    expect(await stored()).toBe(1);
  });

  test('may leave the input out where the schema allows it, and must where there is none', async () => {
    const worker = await setup();
    await worker.addJobFactory(
      defineJob({ name: 'maybe', input: z.string().optional(), run: async () => 1 }),
    );
    await strangers().addJob('maybe');
    await strangers().addJob('flaky');
    await expect(strangers().addJob('flaky', {})).rejects.toThrow(ValidationError);
  });

  test.each<[string, z.ZodType, unknown]>([
    ['a pattern with flags', z.string().regex(/^[a-z]+$/i), 'ABC'],
    ['a Unicode pattern', z.string().regex(/^\p{L}+$/u), 'éé'],
    ['coercion', z.object({ n: z.coerce.number() }), { n: '5' }],
    ['a fallback', z.string().catch('x'), 7],
  ])('may send what only the code can judge: %s', async (_, input, value) => {
    const worker = database.processor();
    await worker.addJobFactory(defineJob({ name: 'judge', input, run: async () => 'fine' }));
    const id = await strangers().addJob('judge', value);
    await worker.processNextJob();
    expect(await worker.getJobResult(id)).toBe('fine');
  });

  test('may send a Date where the job wants one; a text in its place is an error on the job', async () => {
    const worker = database.processor();
    const input = z.object({ at: z.date() });
    await worker.addJobFactory(defineJob({ name: 'dated', input, run: async () => 'fine' }));
    const dated = await strangers().addJob('dated', { at: new Date(0) });
    const text = await strangers().addJob('dated', { at: '1970-01-01T00:00:00Z' });
    await worker.processJobs();
    expect(await worker.getJobResult(dated)).toBe('fine');
    expect(await worker.getJobErrors(text)).toEqual([
      expect.stringContaining('expected date, received string'),
    ]);
  });

  test('leaves jobs that it does not know to a worker that does', async () => {
    const worker = await setup();
    const id = await strangers().addJob('echo', { a: 1 });
    expect(await strangers().processNextJob()).toBe(false);
    expect(await worker.processNextJob()).toBe(true);
    expect(await worker.getJobResult(id)).toEqual({ a: 1 });
  });
});

test.each<[string, unknown[], string[]]>([
  ['nothing', [], ['name', 'factory']],
  ['null', [null], ['factory']],
  ['a name', ['echo'], ['factory']],
  ['an object that is none', [{}], ['factory']],
  ['a name and an object that is none', ['x', {}], ['factory']],
  ['one whose parts are missing', ['x', { ...echo, limits: undefined }], ['factory']],
  ['an empty name', ['', echo], ['name']],
  ['a name with a blank', ['a b', echo], ['name']],
  ['a name that is a prototype', ['__proto__', echo], ['name']],
  ['an operator as name', [{ $gt: 1 }, echo], ['name']],
  ['a long name', ['x'.repeat(101), echo], ['name']],
])('what is no job factory is not registered: %s', async (_, args, paths) => {
  const processor = database.processor();
  // @ts-expect-error the types refuse it already
  const refusal = await processor.addJobFactory(...args).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'validation_failed', issues: paths.map((path) => ({ path })) });
  expect(await processor.getJobFactories()).toEqual({});
});

test.each<[string, unknown, string[]]>([
  ['nothing', undefined, ['']],
  ['a text', 'echo', ['']],
  ['a list with others', [echo, {}, null], ['1', '2']],
  ['an object with others', { echo, other: {} }, ['other']],
  ['bad names', { 'a b': echo, '': echo }, ['a b', '']],
])('nor are several, of which some are none: %s', async (_, given, paths) => {
  const processor = database.processor();
  // @ts-expect-error the types refuse it already
  const refusal = await processor.addJobFactories(given).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'validation_failed', issues: paths.map((path) => ({ path })) });
  expect(String(refusal)).toMatch(/expected/);
  expect(await processor.getJobFactories()).toEqual({});
});

test('registering reads once, and writes only what is new', async () => {
  const commands: string[] = [];
  await setup();
  database.client.on('commandStarted', ({ commandName }) => commands.push(commandName));
  await setup();
  expect(commands).toEqual(['find']);
  database.client.removeAllListeners('commandStarted');
});

test('an id whose job is removed again and again: each add ends with a job, or meets one', async () => {
  const processor = await setup();
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  const id = 'taken and free';
  let adding = true;
  const removing = (async () => {
    while (adding) await jobs.deleteOne({ _id: id });
  })();
  const adds = Array.from({ length: 4 }, async () => {
    for (let n = 0; n < 15; n += 1) expect(await processor.addJob('echo', { n: 1 }, { id })).toBe(id);
  });
  await Promise.all(adds).finally(() => {
    adding = false;
  });
  await removing;
});

test.each(['.', '..', 'a/../b', 'a\\.'])(
  'nothing else has the name %j either, for no address could hold it',
  async (name) => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    await processor.addScheduler({ id: 'x', type: 'Delay', delay: '1h', jobName: 'echo', input: {} });

    const jobs = [{ name: 'echo', input: {}, options: { id: name } }];
    await expect(processor.addJobs(jobs)).rejects.toThrow(ValidationError);
    await expect(
      processor.addScheduler({ id: name, type: 'Delay', delay: '1h', jobName: 'echo', input: {} }),
    ).rejects.toThrow(ValidationError);
    await expect(processor.schedules.runNow('x', { jobId: name })).rejects.toThrow(ValidationError);
    await expect(processor.queues.pause(name)).rejects.toThrow(ValidationError);
    await expect(processor.addJobFactory(name, echo)).rejects.toThrow(ValidationError);
  },
);
