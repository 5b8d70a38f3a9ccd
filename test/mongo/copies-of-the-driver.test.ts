/** A project may hold several copies of the mongodb driver, or an older one: each that is supported works as our own. */
import * as bsonLowest from 'bson-lowest';
import { BSON, MongoClient } from 'mongodb';
import * as driver5 from 'mongodb-5';
import * as driver6 from 'mongodb-6';
import * as lowest from 'mongodb-lowest';
import mongoose from 'mongoose';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import * as z from 'zod';
import { LocalProcessor } from '../../local/processor.js';
import { type AnyDb, type AnySession, defineJob, RemoteException, RemoteProcessor } from '../../src/index.js';
import { inOwnBson } from '../../src/mongo/own-bson.js';
import { TcpProxy } from '../chaos/tcp-proxy.js';
import { silent } from '../database.js';
import { eventually } from '../eventually.js';

/** What these tests use of a driver, whose types are those of its copy. */
interface Client {
  db(name: string): AnyDb & { dropDatabase(): Promise<unknown>; collection(name: string): AnyCollection };
  close(): Promise<unknown>;
  startSession(): AnySession & { withTransaction(work: () => Promise<unknown>): Promise<unknown> };
}

interface AnyCollection {
  findOne(filter: object): Promise<object | null>;
}

const quick = { minHeartbeatFrequencyMS: 20 };

const drivers: Record<string, (uri: string) => Client> = {
  'our own': (uri) => new MongoClient(uri, quick),
  'mongodb 7.0.0': (uri) => new lowest.MongoClient(uri, quick),
  'mongodb 6': (uri) => new driver6.MongoClient(uri, quick),
  'the one of Mongoose': (uri) => new mongoose.mongo.MongoClient(uri, quick),
};

/** Of each kind of value, one that a driver gives back as an object. */
const values = (bson: {
  ObjectId: new (hex: string) => unknown;
  Long: { fromString(text: string): unknown };
  Decimal128: { fromString(text: string): unknown };
  Binary: new (bytes: Buffer) => unknown;
}) => ({
  id: new bson.ObjectId('0123456789abcdef01234567'),
  long: bson.Long.fromString('9007199254740993'),
  list: [{ decimal: bson.Decimal128.fromString('1.50') }],
  binary: new bson.Binary(Buffer.from('bytes')),
});

/** The copies of BSON whose values a job may be given. */
const bsonOf = {
  'our own': BSON,
  'mongodb 7.0.0': lowest.BSON,
  'mongodb 6': driver6.BSON,
  'mongodb 5': driver5.BSON,
  'bson 7.0.0': bsonLowest,
};

/** As every copy writes it. */
function extendedJson(value: unknown) {
  return BSON.EJSON.serialize(inOwnBson(Object(value)), { relaxed: false });
}

const expected = extendedJson(values(BSON));

const anything = defineJob({ name: 'anything', input: z.unknown(), run: async ({ input }) => input ?? null });
const hopeless = defineJob({
  name: 'hopeless',
  input: z.unknown(),
  run: () => Promise.reject(new RemoteException('It is hopeless.')),
});

const item = { type: 'Delay', jobName: 'anything', delay: '1h' } as const;

function repeat<Result>(times: number, call: (n: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: times }, (_, n) => call(n)));
}

describe.each(Object.entries(drivers))('with the driver %s', (name, connect) => {
  const client = connect(inject('mongodbUri'));
  const db = client.db(`driver-${name.replace(/\W/g, '-')}-${process.pid}`);
  const processor = new LocalProcessor({ db, log: silent });

  beforeAll(async () => {
    expect((await processor.queues.list()).queues).toEqual([]);
    await processor.ensureIndexes();
    await processor.addJobFactories([anything, hopeless]);
  });
  afterEach(async () => {
    await processor.drain();
    await processor.removeJobs(['completed', 'error', 'cancelled']);
  });
  afterAll(async () => {
    await db.dropDatabase();
    await client.close();
  });

  test('making the indexes again does no harm', async () => {
    await processor.ensureIndexes();
  });

  test('jobs are read, run and ended', async () => {
    const failed = await processor.addJob('hopeless');
    const done = await processor.addJob('anything', { n: 1 });
    const cancelled = await processor.addJob('anything', null, { delay: '1h' });
    await processor.cancelJob(cancelled);
    expect(await processor.drain()).toMatchObject({ claimed: 2, completed: 1 });
    expect(await processor.getJobResult(done)).toEqual({ n: 1 });
    const { jobs } = await processor.jobs.list();
    expect(new Map(jobs.map(({ id, status }) => [id, status]))).toEqual(
      new Map([
        [failed, 'error'],
        [done, 'completed'],
        [cancelled, 'cancelled'],
      ]),
    );
    expect((await processor.jobs.list({ status: 'error' })).jobs).toHaveLength(1);
  });

  test('of 20 that add one unique key at once, all get the same job', async () => {
    const ids = await repeat(20, () => processor.addJob('anything', null, { uniqueKey: 'one' }));
    expect(new Set(ids).size).toBe(1);
  });

  test('those that add many with unique keys at once get the same jobs', async () => {
    const many = [1, 2, 3].map((n) => ({ name: 'anything', input: n, options: { uniqueKey: `key ${n}` } }));
    const added = await repeat(5, () => processor.addJobs(many));
    expect(new Set(added.map((ids) => ids.join())).size).toBe(1);
  });

  test('a job whose unique key is taken cannot be retried', async () => {
    const first = await processor.addJob('hopeless', null, { uniqueKey: 'taken' });
    await processor.drain();
    await processor.addJob('hopeless', null, { uniqueKey: 'taken' });
    await expect(processor.retryJob(first)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('scheduler items are made once, whoever makes them at the same time', async () => {
    await processor.addScheduler({ ...item, id: 'taken' });
    await expect(processor.addScheduler({ ...item, id: 'taken' })).rejects.toMatchObject({
      code: 'conflict',
    });
    const declared = ['a', 'b'].map((id) => ({ ...item, id, input: values(bsonOf['mongodb 6']) }));
    const synced = await repeat(4, () => processor.syncSchedulers(declared));
    expect(new Set(synced.flatMap(({ added }) => added))).toEqual(new Set(['a', 'b']));
    expect(await processor.scheduleDueItems()).toBeDefined();
    expect(extendedJson(await processor.getJob(await processor.schedules.runNow('a')))).toMatchObject({
      input: expected,
    });
  });

  test('a job that is added in a transaction of the user is there once that is committed', async () => {
    const session = client.startSession();
    await session.withTransaction(() => processor.addJob('anything', 1, { id: 'within', session }));
    await expect(
      session.withTransaction(async () => {
        await processor.addJob('anything', 1, { id: 'undone', session });
        throw new Error('Never mind.');
      }),
    ).rejects.toThrow('Never mind.');
    await session.endSession();
    expect(await processor.getJobStatus('within')).toBe('queued');
    expect(await processor.getJob('undone')).toBeUndefined();
  });

  test('an add waits for a database that is away', async () => {
    const { hostname, port } = new URL(inject('mongodbUri'));
    const proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
    const away = connect(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`);
    try {
      const far = new RemoteProcessor({ db: away.db(db.databaseName), log: silent });
      expect(await far.addJob('anything', 1)).toBeDefined();
      let refused = 0;
      proxy.judgeBy(() => {
        refused += 1;
        return 'cut';
      });
      const adding = far.addJob('anything', 2, { id: 'far' });
      await eventually(() => expect(refused).toBeGreaterThan(5));
      proxy.judgeBy(() => 'deliver');
      expect(await adding).toBe('far');
    } finally {
      await away.close();
      await proxy.close();
    }
  });

  test.each(Object.entries(bsonOf))('values of %s are stored as what they are', async (_, bson) => {
    const input = values(bson);
    await processor.addJob('anything', input, { id: 'of values' });
    expect(await processor.addJob('anything', input, { id: 'of values' })).toBe('of values');
    await processor.drain();
    const job = await processor.getJob('of values');
    expect(extendedJson(job)).toMatchObject({ input: expected, output: expected });
  });

  test('a worker that takes some jobs alone may tell which by values of another copy', async () => {
    const chosen = await processor.addJob('anything', values(bsonOf['mongodb 6']));
    await processor.addJob('anything', null);
    const jobQuery = { 'input.id': Object(values(bsonOf['bson 7.0.0'])).id };
    const choosy = new RemoteProcessor({ db, log: silent, jobQuery });
    await choosy.addJobFactory(anything);
    await choosy.drain();
    expect((await processor.jobs.list({ status: 'completed' })).jobs.map(({ id }) => id)).toEqual([chosen]);
  });
});

test('the driver 5 is refused, and told from which on it works', () => {
  const client = new driver5.MongoClient(inject('mongodbUri'));
  expect(() => new RemoteProcessor({ db: Object(client.db('jobs')) })).toThrow(
    expect.objectContaining({
      code: 'validation_failed',
      issues: [{ path: 'db', message: 'expected a Db of the mongodb driver 6 or 7, not of 5.9.2' }],
    }),
  );
});

test('what only says that it is a value of BSON is refused, with its path', async () => {
  class Pretender {
    readonly written: unknown;
    constructor(written: unknown) {
      this.written = written;
    }
    get _bsontype() {
      return 'ObjectId';
    }
    toExtendedJSON() {
      return this.written;
    }
  }
  const client = new MongoClient(inject('mongodbUri'));
  const processor = new RemoteProcessor({ db: client.db('pretenders'), log: silent });
  await processor.addJobFactory(anything);
  for (const written of [undefined, 'text', { $oid: 'none' }, { $numberLong: '1' }, { $date: 'x' }])
    await expect(processor.addJob('anything', { a: [new Pretender(written)] })).rejects.toMatchObject({
      issues: [{ path: 'a.0' }],
    });
  await client.close();
});
