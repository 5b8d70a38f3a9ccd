import type { ClientSession, Collection, Document } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { freshName, type Numbered, refusal, useServer } from './server.js';

const server = useServer();

async function withCollection(docs: Numbered[]): Promise<Collection<Numbered>> {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.createIndex({ k: 1 }, { unique: true, sparse: true });
  if (docs.length > 0) await collection.insertMany(docs);
  return collection;
}

async function inTransaction<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
  return server.client.withSession(async (session) => {
    session.startTransaction();
    try {
      return await work(session);
    } finally {
      if (session.inTransaction()) await session.abortTransaction();
    }
  });
}

async function exists(collection: Collection<Numbered>): Promise<boolean> {
  const found = await server.db.listCollections({ name: collection.collectionName }).toArray();
  return found.length > 0;
}

interface Own {
  readonly collection: Collection<Numbered>;
  readonly session: ClientSession;
}

const setTwo = ({ collection, session }: Own) =>
  collection.updateOne({ k: 1 }, { $set: { n: 2 } }, { session });

const ids = (docs: Numbered[]) => docs.map(({ _id }) => _id);

describe('a transaction', () => {
  test('sees its own writes; others see them when it has committed', async () => {
    const collection = await withCollection([{ _id: 1 }, { _id: 2, n: 1 }]);
    await inTransaction(async (session) => {
      await collection.insertOne({ _id: 3 }, { session });
      await collection.updateOne({ _id: 2 }, { $inc: { n: 1 } }, { session });
      await collection.deleteOne({ _id: 1 }, { session });
      expect(await collection.find({}, { session }).sort({ _id: 1 }).toArray()).toEqual([
        { _id: 2, n: 2 },
        { _id: 3 },
      ]);
      expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 1 }, { _id: 2, n: 1 }]);
      await session.commitTransaction();
    });
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 2, n: 2 }, { _id: 3 }]);
  });

  test('leaves nothing behind when it aborts', async () => {
    const collection = await withCollection([{ _id: 1, k: 1 }]);
    await inTransaction(async (session) => {
      await collection.updateOne({ _id: 1 }, { $set: { k: 2 } }, { session });
      await collection.insertOne({ _id: 2, k: 1 }, { session });
    });
    expect(await collection.find({ k: 1 }).toArray()).toEqual([{ _id: 1, k: 1 }]);
    await collection.insertOne({ _id: 3, k: 2 });
  });

  test('does not see what others commit after it began', async () => {
    const collection = await withCollection([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ]);
    await inTransaction(async (session) => {
      expect(await collection.countDocuments({}, { session })).toBe(2);
      await collection.insertOne({ _id: 3, n: 3 });
      await collection.updateOne({ _id: 1 }, { $set: { n: 9 } });
      await collection.deleteOne({ _id: 2 });
      expect(await collection.find({}, { session }).sort({ n: 1 }).toArray()).toEqual([
        { _id: 1, n: 1 },
        { _id: 2, n: 2 },
      ]);
      expect(await collection.findOne({ _id: 3 }, { session })).toBeNull();
    });
  });

  test('finds through an index what it has changed itself', async () => {
    const collection = await withCollection([
      { _id: 1, k: 10 },
      { _id: 2, k: 20 },
      { _id: 3, k: 30 },
    ]);
    await inTransaction(async (session) => {
      await collection.updateOne({ _id: 3 }, { $set: { k: 15 } }, { session });
      await collection.insertOne({ _id: 4, k: 12 }, { session });
      const range = collection.find({ k: { $gt: 5, $lt: 25 } }, { session, hint: 'k_1' });
      expect(ids(await range.sort({ k: -1 }).toArray())).toEqual([2, 3, 4, 1]);
    });
  });

  test('that writes what another is writing gets WriteConflict, to be run again', async () => {
    const collection = await withCollection([{ _id: 1, n: 0 }]);
    await inTransaction(async (first) => {
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: first });
      await inTransaction(async (second) => {
        const conflict = await refusal(
          collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: second }),
        );
        expect(conflict).toMatchObject({ code: 112, codeName: 'WriteConflict' });
        expect([...conflict.errorLabelSet]).toContain('TransientTransactionError');
      });
    });
  });

  test('that writes what has changed since it began gets WriteConflict', async () => {
    const collection = await withCollection([{ _id: 1, n: 0 }]);
    await inTransaction(async (session) => {
      await collection.findOne({ _id: 1 }, { session });
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } });
      expect(await refusal(collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session }))).toMatchObject({
        code: 112,
      });
    });
  });

  test.each<[string, (other: Collection<Numbered>) => Promise<unknown>, (mine: Own) => Promise<unknown>]>([
    ['changed, by an update', (other) => other.updateOne({ _id: 1 }, { $set: { n: 1 } }), setTwo],
    [
      'changed so that it no longer matches',
      (other) => other.updateOne({ _id: 1 }, { $set: { k: 2 } }),
      setTwo,
    ],
    [
      'removed',
      (other) => other.deleteOne({ _id: 1 }),
      ({ collection, session }) => collection.deleteOne({ _id: 1 }, { session }),
    ],
    ['removed', (other) => other.deleteOne({ _id: 1 }), setTwo],
    [
      'added',
      (other) => other.insertOne({ _id: 2 }),
      ({ collection, session }) => collection.insertOne({ _id: 2 }, { session }),
    ],
    ['dropped with its collection', (other) => other.drop(), setTwo],
    [
      'dropped with its collection, and added again',
      async (other) => {
        await other.drop();
        await other.insertOne({ _id: 1, k: 1 });
      },
      setTwo,
    ],
  ])(
    'that writes a document of another collection, %s since it began, gets WriteConflict',
    async (_, change, write) => {
      const [read, written] = [await withCollection([{ _id: 1 }]), await withCollection([{ _id: 1, k: 1 }])];
      await inTransaction(async (session) => {
        await read.findOne({ _id: 1 }, { session });
        await change(written);
        const conflict = await refusal(write({ collection: written, session }));
        expect(conflict).toMatchObject({ code: 112, codeName: 'WriteConflict' });
        expect([...conflict.errorLabelSet]).toContain('TransientTransactionError');
      });
    },
  );

  test('does not see a collection made since it began, and cannot write to it', async () => {
    const read = await withCollection([{ _id: 1 }]);
    const made = server.db.collection<Numbered>(freshName());
    await inTransaction(async (session) => {
      await read.findOne({ _id: 1 }, { session });
      await made.insertOne({ _id: 1 });
      expect(await made.find({}, { session }).toArray()).toEqual([]);
      expect(await refusal(made.insertOne({ _id: 2 }, { session }))).toMatchObject({ code: 112 });
    });
    expect(await made.countDocuments()).toBe(1);
  });

  test('that reads a collection dropped since it began has to be run again', async () => {
    const [read, dropped] = [await withCollection([{ _id: 1 }]), await withCollection([{ _id: 1 }])];
    await inTransaction(async (session) => {
      await read.findOne({ _id: 1 }, { session });
      await dropped.drop();
      const refused = await refusal(dropped.find({}, { session }).toArray());
      expect(refused).toMatchObject({ code: 246, codeName: 'SnapshotUnavailable' });
      expect([...refused.errorLabelSet]).toContain('TransientTransactionError');
    });
  });

  test('that takes a unique key another has taken gets WriteConflict, and a duplicate once that has committed', async () => {
    const collection = await withCollection([]);
    await inTransaction(async (first) => {
      await collection.insertOne({ _id: 1, k: 1 }, { session: first });
      await inTransaction(async (second) => {
        expect(await refusal(collection.insertOne({ _id: 2, k: 1 }, { session: second }))).toMatchObject({
          code: 112,
        });
      });
      await first.commitTransaction();
    });
    await inTransaction(async (third) => {
      expect(await refusal(collection.insertOne({ _id: 2, k: 1 }, { session: third }))).toMatchObject({
        code: 11000,
      });
    });
  });

  test('holds up a plain write of the same document until it ends', async () => {
    const collection = await withCollection([{ _id: 1, n: 0 }]);
    const order: string[] = [];
    await inTransaction(async (session) => {
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      const waiting = collection
        .updateOne({ _id: 1 }, { $inc: { n: 10 } })
        .then(() => order.push('plain write'));
      await collection.findOne({ _id: 1 });
      order.push('commit');
      await session.commitTransaction();
      await waiting;
    });
    expect(order).toEqual(['commit', 'plain write']);
    expect(await collection.findOne()).toEqual({ _id: 1, n: 11 });
  });

  test('is over after an error', async () => {
    const collection = await withCollection([{ _id: 1 }]);
    await inTransaction(async (session) => {
      await collection.insertOne({ _id: 2 }, { session });
      expect(await refusal(collection.insertOne({ _id: 1 }, { session }))).toMatchObject({ code: 11000 });
      const later = await refusal(collection.findOne({ _id: 1 }, { session }));
      expect(later).toMatchObject({ code: 251, codeName: 'NoSuchTransaction' });
    });
    expect(ids(await collection.find().toArray())).toEqual([1]);
  });

  test('can be committed twice, but not aborted after that', async () => {
    const collection = await withCollection([]);
    await server.client.withSession(async (session) => {
      session.startTransaction();
      await collection.insertOne({ _id: 1 }, { session });
      await session.commitTransaction();
      await session.commitTransaction();
    });
    expect(ids(await collection.find().toArray())).toEqual([1]);
  });

  test('cannot add an index to a collection that others see, but may ask for one that is there', async () => {
    const collection = await withCollection([]);
    await inTransaction(async (session) => {
      await collection.createIndex({ k: 1 }, { unique: true, sparse: true, session });
      expect(await refusal(collection.createIndex({ z: 1 }, { session }))).toMatchObject({ code: 263 });
    });
  });

  test('makes a collection with an index, which others see when it has committed', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    await inTransaction(async (session) => {
      await server.db.createCollection(collection.collectionName, { session });
      await collection.createIndex({ k: 1 }, { unique: true, session });
      await collection.insertOne({ _id: 1, k: 1 }, { session });
      expect(await collection.findOne({ k: 1 }, { session, hint: 'k_1' })).toEqual({ _id: 1, k: 1 });
      expect(await exists(collection)).toBe(false);
      expect(await collection.find().toArray()).toEqual([]);
      await session.commitTransaction();
    });
    expect(await collection.findOne({ k: 1 }, { hint: 'k_1' })).toEqual({ _id: 1, k: 1 });
    expect(await refusal(collection.insertOne({ _id: 2, k: 1 }))).toMatchObject({ code: 11000 });
  });

  test('cannot add an index to a collection of its own that has documents', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    await inTransaction(async (session) => {
      await collection.insertOne({ _id: 1 }, { session });
      expect(await refusal(collection.createIndex({ k: 1 }, { session }))).toMatchObject({ code: 263 });
    });
    expect(await exists(collection)).toBe(false);
  });

  test('that aborts leaves no collection behind, nor does an update that matches nothing', async () => {
    const [inserted, updated] = [
      server.db.collection<Numbered>(freshName()),
      server.db.collection<Numbered>(freshName()),
    ];
    await inTransaction(async (session) => {
      await inserted.insertOne({ _id: 1 }, { session });
    });
    await inTransaction(async (session) => {
      await updated.updateOne({ n: 1 }, { $set: { n: 2 } }, { session });
      await session.commitTransaction();
    });
    expect([await exists(inserted), await exists(updated)]).toEqual([false, false]);
  });

  test('that makes a collection another has made meanwhile gets WriteConflict when it commits', async () => {
    const collection = server.db.collection<Numbered>(freshName());
    await inTransaction(async (session) => {
      await collection.insertOne({ _id: 1 }, { session });
      await collection.insertOne({ _id: 2 });
      expect(await refusal(session.commitTransaction())).toMatchObject({ code: 112 });
    });
    expect(ids(await collection.find().toArray())).toEqual([2]);
  });

  test('is not begun by a command that a fail point stops, nor ended by one', async () => {
    const collection = await withCollection([]);
    const fail = (failCommand: string) =>
      server.client.db('admin').command({
        configureFailPoint: 'failCommand',
        mode: { times: 1 },
        data: { failCommands: [failCommand], errorCode: 8000 },
      });
    await inTransaction(async (session) => {
      await collection.insertOne({ _id: 1 }, { session });
      await fail('update');
      const update = collection.updateOne({ _id: 1 }, { $set: { n: 1 } }, { session });
      expect(await refusal(update)).toMatchObject({ code: 8000 });
      await session.commitTransaction();
      session.startTransaction();
      await fail('insert');
      expect(await refusal(collection.insertOne({ _id: 2 }, { session }))).toMatchObject({ code: 8000 });
      expect(await refusal(collection.findOne({}, { session }))).toMatchObject({ code: 251 });
    });
    expect(ids(await collection.find().toArray())).toEqual([1]);
  });

  test('is aborted by killAllSessions', async () => {
    const collection = await withCollection([]);
    await inTransaction(async (session) => {
      await collection.insertOne({ _id: 1 }, { session });
      await server.client.db('admin').command({ killAllSessions: [] });
      expect(await refusal(collection.findOne({}, { session }))).toMatchObject({ code: 251 });
    });
    await collection.drop();
  });

  test('gets no label for a write concern error of a statement, which has been done', async () => {
    const collection = await withCollection([]);
    await inTransaction(async (session) => {
      await server.client.db('admin').command({
        configureFailPoint: 'failCommand',
        mode: { times: 1 },
        data: { failCommands: ['insert'], writeConcernError: { code: 91, errmsg: 'shutting down' } },
      });
      const insert = { insert: collection.collectionName, documents: [{ _id: 1 }] };
      const error = await refusal(server.db.command(insert, { session }));
      const labels = [...error.errorLabelSet].filter((label) => /Error$/.test(label));
      expect(labels).toEqual([]);
    });
  });
});

test('withTransaction runs the callback again after a conflict', async () => {
  const collection = await withCollection([{ _id: 1, n: 0 }]);
  let attempts = 0;
  await server.client.withSession((session) =>
    session.withTransaction(async () => {
      attempts += 1;
      const found = await collection.findOne({ _id: 1 }, { session });
      if (attempts === 1) await collection.updateOne({ _id: 1 }, { $inc: { n: 10 } });
      await collection.updateOne({ _id: 1 }, { $set: { n: found?.n + 1 } }, { session });
    }),
  );
  expect(attempts).toBe(2);
  expect(await collection.findOne()).toEqual({ _id: 1, n: 11 });
});

test.each<[string, Document, Document]>([
  [
    'a delete of what a transaction updates',
    { update: { q: { _id: 1 }, u: { $set: { n: 1 } } } },
    { delete: { q: { _id: 1 }, limit: 1 } },
  ],
  [
    'an update of what a transaction deletes',
    { delete: { q: { _id: 1 }, limit: 1 } },
    { update: { q: { _id: 1 }, u: { $set: { n: 2 } } } },
  ],
])('%s waits for it, no longer than maxTimeMS', async (_, first, second) => {
  const collection = await withCollection([{ _id: 1, n: 0 }]);
  const command = (one: Document) => {
    const [name = '', statement] = Object.entries(one)[0] ?? [];
    return { [name]: collection.collectionName, [`${name}s`]: [statement] };
  };
  await inTransaction(async (session) => {
    await server.db.command(command(first), { session });
    const waiting = server.db.command({ ...command(second), maxTimeMS: 20 });
    expect(await refusal(waiting)).toMatchObject({ code: 50, codeName: 'MaxTimeMSExpired' });
  });
  expect(await server.db.command(command(second))).toMatchObject({ n: 1 });
});
