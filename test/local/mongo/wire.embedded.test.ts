import type { Document } from 'mongodb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { message, query, RawClient, section, sequence } from './raw-client.js';
import { freshName, useServer } from './server.js';

const server = useServer();
let client: RawClient;

beforeEach(async () => {
  client = await RawClient.open(server.mongo.port);
});
afterEach(() => client.close());

test('OP_QUERY is answered with a hello that names the server’s time', async () => {
  client.write(query({ ismaster: 1 }));
  const hello = await client.read();
  expect(hello).toMatchObject({ ismaster: true, setName: 'embedded', maxWireVersion: 21, ok: 1 });
  expect(hello.localTime).toEqual(new Date(server.now));
});

test('documents may come as a sequence of their own, in one message with a checksum', async () => {
  const name = freshName();
  const command = section({ insert: name, $db: 'test' });
  client.write(message(Buffer.concat([command, sequence('documents', [{ _id: 1 }, { _id: 2 }])]), 1));
  expect(await client.read()).toMatchObject({ ok: 1, n: 2 });
  expect(await server.db.collection(name).countDocuments()).toBe(2);
});

test('an unacknowledged write is done and not answered', async () => {
  const name = freshName();
  client.write(
    message(section({ insert: name, $db: 'test', documents: [{ _id: 1 }], writeConcern: { w: 0 } }), 2),
  );
  expect(await client.run({ count: name, $db: 'test' })).toMatchObject({ ok: 1, n: 1 });
});

test('messages are answered in order, however they are cut into packets', async () => {
  const bytes = Buffer.concat(
    [1, 2, 3].map((n) =>
      message(section({ aggregate: 1, pipeline: [{ $documents: [{ n }] }], cursor: {}, $db: 'test' })),
    ),
  );
  for (let at = 0; at < bytes.length; at += 7) client.write(bytes.subarray(at, at + 7));
  for (const n of [1, 2, 3]) expect(await client.read()).toMatchObject({ cursor: { firstBatch: [{ n }] } });
});

test('a message that makes no sense ends its connection and no other', async () => {
  client.write(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
  await client.closed();
  expect(await server.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
});

test('a command that is cut short is refused, and the connection goes on or ends', async () => {
  const bytes = message(section({ ping: 1, $db: 'test' }));
  bytes[bytes.length - 1] = 0x99;
  client.write(bytes);
  await Promise.race([client.read(), client.closed()]).catch(() => undefined);
  expect(await server.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
});

/** A message whose only section is these bytes. */
const raw = (...bytes: number[]) => message(Buffer.from(bytes));

const ping = section({ ping: 1, $db: 'test' });
const MINUS_ONE = [0xff, 0xff, 0xff, 0xff];
const nested = (depth: number): Document => (depth === 0 ? {} : { a: nested(depth - 1) });

test.each<[string, Buffer, number]>([
  ['a body of size 0', raw(0, 0, 0, 0, 0, ...Buffer.alloc(15)), 22],
  ['a body of size -1', raw(0, ...MINUS_ONE, ...Buffer.alloc(15)), 22],
  ['a section of size -1', raw(1, ...MINUS_ONE, ...Buffer.alloc(15)), 22],
  ['a sequence with a document of size 0', raw(1, 15, 0, 0, 0, 0x61, 0, ...Buffer.alloc(9)), 22],
  ['a body larger than its message', raw(0, 100, 0, 0, 0, 0), 22],
  ['a section without a size', raw(1, 5), 22],
  ['a string of size 0', raw(0, 13, 0, 0, 0, 2, 0x61, 0, 0, 0, 0, 0, 0, 0), 22],
  ['a text that does not end', raw(0, 8, 0, 0, 0, 2, 0x61, 0x61, 0), 22],
  ['a type that is none', raw(0, 8, 0, 0, 0, 0x33, 0x61, 0, 0), 22],
  ['documents 201 deep', message(section({ ping: nested(201), $db: 'test' })), 15],
  ['two bodies', message(Buffer.concat([ping, ping])), 40430],
  ['the same sequence twice', message(Buffer.concat([ping, sequence('a', []), sequence('a', [])])), 40431],
  ['a section of an unknown kind', message(Buffer.concat([ping, Buffer.of(2)])), 40432],
  ['a sequence that the body has as well', message(Buffer.concat([ping, sequence('ping', [])])), 40433],
  ['no body', message(sequence('a', [])), 40587],
])('%s is refused, and the connection goes on', async (_, bytes, code) => {
  client.write(bytes);
  expect(await client.read()).toMatchObject({ ok: 0, code });
  expect(await client.run({ ping: 1, $db: 'test' })).toMatchObject({ ok: 1 });
});

test.each<[string, Buffer]>([
  ['an unknown flag', message(ping, 4)],
  ['no room for flags', Buffer.from([16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0])],
  ['an operation that is none', Buffer.from([16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xd2, 7, 0, 0])],
  ['a size that is less than its header', Buffer.from([15, 0, 0, 0])],
  ['a size of more than 48 MB', Buffer.from([0, 0x6c, 0xdc, 3])],
])('a message with %s ends its connection and no other', async (_, bytes) => {
  client.write(bytes);
  await client.closed();
  expect(await server.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
});
