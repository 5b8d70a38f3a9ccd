/** Whatever becomes of connections, what is asked on the others is answered. */
import { type Document, Long, UUID } from 'bson';
import { expect, test } from 'vitest';
import { Random } from '../../chaos/random.js';
import { message, RawClient, section, sequence } from './raw-client.js';
import { freshName, useServer } from './server.js';

const server = useServer();
const ping = { ping: 1, $db: 'test' };

test('messages are answered wherever they are cut, though what is left of them comes much later', async () => {
  const name = freshName();
  const client = await RawClient.open(server.mongo.port);
  const other = await RawClient.open(server.mongo.port);
  const insert = Buffer.concat([section({ insert: name, $db: 'test' }), sequence('documents', [{}, {}])]);
  const bytes = Buffer.concat([message(insert, 1), message(section(ping))]);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const replies = client.read().then(async (first) => [first, await client.read()]);
    client.write(bytes.subarray(0, cut));
    for (let n = 0; n < 2; n += 1) await other.run(ping); // By then the server has read what came before.
    client.write(bytes.subarray(cut));
    expect(await replies).toMatchObject([{ n: 2 }, { ok: 1 }]);
  }
  client.close();
  other.close();
});

/** A logical session, whose connection may end at any moment, and be followed by another one. */
class LossySession {
  readonly lsid = { id: new UUID() };
  readonly #random: Random;
  #number = 0;
  #client: RawClient | undefined;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  begin(): void {
    this.#number += 1;
  }

  async run(command: Document): Promise<Document> {
    this.#client ??= await RawClient.open(server.mongo.port);
    const { lsid } = this;
    return this.#client.run({ ...command, $db: 'test', lsid, txnNumber: Long.fromNumber(this.#number) });
  }

  /** Sends it again as long as its connection ends before the reply has come. */
  async runUntilAnswered(command: Document): Promise<Document> {
    while (this.#random.chance(0.4)) {
      void this.run(command).catch(() => {});
      for (let turns = this.#random.int(0, 3); turns > 0; turns -= 1) await new Promise(setImmediate);
      this.close();
    }
    return this.run(command);
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

const DOCUMENTS = 3;
const ROUNDS = 40;

/** Adds 1 to documents, each time once. Gives how often. */
async function increment(collection: string, seed: number): Promise<number> {
  const [session, random] = [new LossySession(seed), new Random(seed)];
  for (let round = 0; round < ROUNDS; round += 1) {
    session.begin();
    const updates = [{ q: { _id: random.int(1, DOCUMENTS) }, u: { $inc: { n: 1 } } }];
    expect(await session.runUntilAnswered({ update: collection, updates })).toMatchObject({ n: 1 });
  }
  session.close();
  return ROUNDS;
}

/** Adds 1 to two documents in transactions, some of which nobody ends. Gives how often it added 1 for good. */
async function transact(collection: string, seed: number): Promise<number> {
  const [session, random] = [new LossySession(seed), new Random(seed)];
  let added = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    session.begin();
    const first = random.int(1, DOCUMENTS);
    const both = [first, (first % DOCUMENTS) + 1].map((_id) => ({ q: { _id }, u: { $inc: { n: 1 } } }));
    const start = { update: collection, updates: both, startTransaction: true, autocommit: false };
    if ((await session.run(start)).ok !== 1) continue; // A conflict, which has ended it.
    if (random.chance(0.5)) session.close();
    const how = random.pick(['commitTransaction', 'abortTransaction', 'nothing'] as const);
    if (how === 'nothing') continue; // The next one of the session ends it.
    expect(await session.run({ [how]: 1, autocommit: false })).toMatchObject({ ok: 1 });
    if (how === 'commitTransaction') added += both.length;
  }
  session.close();
  await server.db.admin().command({ endSessions: [session.lsid] });
  return added;
}

test.each([1, 2, 3])(
  'no write waits for ever, none is lost, and none is done twice (seed %i)',
  async (seed) => {
    const collection = server.db.collection<{ _id: number; n: number }>(freshName());
    await collection.insertMany(Array.from({ length: DOCUMENTS }, (_, at) => ({ _id: at + 1, n: 0 })));
    const writers = Array.from({ length: 6 }, (_, at) => {
      const write = at % 2 === 0 ? increment : transact;
      return write(collection.collectionName, seed * 100 + at);
    });
    const added = (await Promise.all(writers)).reduce((sum, one) => sum + one);
    const [total] = await collection.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }]).toArray();
    expect(total?.n).toBe(added);
  },
);
