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
