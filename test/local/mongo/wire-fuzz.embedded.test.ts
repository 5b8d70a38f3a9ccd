import { Binary, Code, type Document, Long, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { message, query, RawClient, section, sequence } from './raw-client.js';
import { useServer } from './server.js';

const server = useServer();

const everyType: Document = {
  _id: new ObjectId('65f000000000000000000001'),
  text: 'some text',
  inner: { list: [1, 2.5, { deep: [[]] }], nothing: null },
  bytes: Buffer.from('bytes'),
  old: new Binary(Buffer.from('old'), 2),
  code: new Code('return x', { x: 1 }),
  pattern: /^a.*b/i,
  long: Long.MAX_VALUE,
  time: new Timestamp({ t: 1, i: 2 }),
  date: new Date(0),
  yes: true,
};

/** Each is answered when it is sent as it is. */
const valid: readonly Buffer[] = [
  message(section({ ping: 1, $db: 'test' })),
  message(section({ insert: 'fuzz', documents: [everyType], $db: 'test' })),
  message(Buffer.concat([section({ insert: 'fuzz', $db: 'test' }), sequence('documents', [everyType, {}])])),
  message(
    Buffer.concat([
      sequence('updates', [{ q: { text: 'some text' }, u: { $set: { inner: everyType } }, upsert: true }]),
      section({ update: 'fuzz', $db: 'test' }),
    ]),
    1,
  ),
  message(
    section({
      find: 'fuzz',
      filter: { 'inner.list': { $gt: 1 }, text: /a/ },
      sort: { long: -1 },
      $db: 'test',
    }),
  ),
  message(section({ aggregate: 'fuzz', pipeline: [{ $match: everyType }], cursor: {}, $db: 'test' })),
  query({ ismaster: 1, client: everyType }),
];

/** What sizes are told as, when they are wrong. */
const SIZES = [-1, 0, 1, 3, 4, 5, 15, 16, 40, 0x7fffffff, -0x80000000, 48_000_001];

/** A change somewhere behind the header. */
type Change = { readonly at: number } & (
  | { readonly size: number }
  | { readonly byte: number }
  | { readonly remove: number }
  | { readonly insert: Uint8Array }
);

const at = fc.integer({ min: 16, max: 400 });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ at, size: fc.constantFrom(...SIZES) }),
  fc.record({ at, byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ at, remove: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ at, insert: fc.uint8Array({ minLength: 1, maxLength: 8 }) }),
);

function changed(original: Buffer, changes: readonly Change[]): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (const one of changes) {
    const place = 16 + ((one.at - 16) % Math.max(1, bytes.length - 16));
    if ('size' in one && place + 4 <= bytes.length) bytes.writeInt32LE(one.size, place);
    if ('byte' in one && place < bytes.length) bytes[place] = one.byte;
    if ('remove' in one)
      bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + one.remove)]);
    if ('insert' in one) bytes = Buffer.concat([bytes.subarray(0, place), one.insert, bytes.subarray(place)]);
  }
  bytes.writeInt32LE(bytes.length, 0);
  return bytes;
}

/** Sends messages, each followed by a ping, on the connection of the one before, where that has not been ended. Gives how many were. */
async function send(messages: readonly Buffer[]): Promise<{ closed: number; answered: number }> {
  const outcomes = { closed: 0, answered: 0 };
  let client = await RawClient.open(server.mongo.port);
  let ping = 1000;
  for (const bytes of messages) {
    ping += 1;
    client.write(Buffer.concat([bytes, message(section({ ping: 1, $db: 'test' }), 0, ping)]));
    const outcome = await client.answeredOrClosed(ping);
    outcomes[outcome] += 1;
    if (outcome === 'closed') client = await RawClient.open(server.mongo.port);
  }
  client.close();
  return outcomes;
}

test('what is sent as it is gets its answer', async () => {
  expect(await send(valid)).toEqual({ closed: 0, answered: valid.length });
});

test('a message with bytes changed, added or taken out is answered, or its connection ends; others live on', async () => {
  const sample = fc.sample(
    fc.tuple(fc.constantFrom(...valid), fc.array(change, { minLength: 1, maxLength: 3 })),
    { numRuns: 150, seed: 20261128 },
  );
  const { answered } = await send(sample.map(([original, changes]) => changed(original, changes)));
  expect(answered).toBeGreaterThan(0);
  expect(await server.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
});

test.each([-1, 0, 0x7fffffff])('so is one with a size of %i anywhere', async (size) => {
  const places = valid.flatMap((original) =>
    Array.from({ length: (original.length - 20) >> 1 }, (_, i) => [original, 16 + 2 * i] as const),
  );
  await send(
    places.map(([original, place]) => {
      const bytes = Buffer.from(original);
      bytes.writeInt32LE(size, place);
      return bytes;
    }),
  );
  expect(await server.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
});

test('what was let in can be read again', async () => {
  for (const { name } of await server.db.listCollections().toArray())
    await server.db.collection(name).find().toArray();
});
