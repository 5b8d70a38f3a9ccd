import { Long, UUID } from 'bson';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient } from './raw-client.js';
import { freshName, type Numbered, useServer } from './server.js';

const server = useServer();
const lsid = { id: new UUID() };
let client: RawClient;
let number = 0;

beforeAll(async () => {
  client = await RawClient.open(server.mongo.port);
});
afterAll(() => client.close());

/** Sends one retryable write twice, as a driver does that lost the first reply. */
async function twice(command: Record<string, unknown>) {
  number += 1;
  const body = { ...command, $db: 'test', lsid, txnNumber: Long.fromNumber(number) };
  return { first: await client.run(body), second: await client.run(body) };
}

test('an insert sent again inserts nothing and says what the first said', async () => {
  const name = freshName();
  const { first, second } = await twice({ insert: name, documents: [{ _id: 1 }, { _id: 2 }] });
  expect(first).toMatchObject({ ok: 1, n: 2 });
  expect(second).toMatchObject({ ok: 1, n: 2, retriedStmtIds: [0, 1] });
  expect(second.writeErrors).toBeUndefined();
});

test('an update sent again changes nothing and says what the first said, an upsert too', async () => {
  const name = freshName();
  const upsert = { q: { _id: 1 }, u: { $inc: { n: 1 } }, upsert: true };
  const created = await twice({ update: name, updates: [upsert] });
  expect(created.second).toMatchObject({ n: 1, nModified: 0, upserted: [{ index: 0, _id: 1 }] });
  const changed = await twice({ update: name, updates: [upsert] });
  expect(changed.second).toMatchObject({ n: 1, nModified: 1 });
  expect(await server.db.collection(name).findOne()).toEqual({ _id: 1, n: 2 });
});

test('a delete sent again removes nothing more', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertMany([{ _id: 1 }, { _id: 2 }]);
  const { first, second } = await twice({
    delete: collection.collectionName,
    deletes: [{ q: {}, limit: 1 }],
  });
  expect([first.n, second.n]).toEqual([1, 1]);
  expect(await collection.countDocuments()).toBe(1);
});

test('a findAndModify sent again gives the same document', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertOne({ _id: 1, n: 0 });
  const command = {
    findAndModify: collection.collectionName,
    query: { _id: 1 },
    update: { $inc: { n: 1 } },
    new: true,
  };
  const { first, second } = await twice(command);
  expect([first.value, second.value]).toEqual([
    { _id: 1, n: 1 },
    { _id: 1, n: 1 },
  ]);
  expect(await collection.findOne()).toEqual({ _id: 1, n: 1 });
});

test('of a batch sent again only what failed is tried again', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertOne({ _id: 2 });
  number += 1;
  const body = {
    insert: collection.collectionName,
    documents: [{ _id: 1 }, { _id: 2 }],
    ordered: false,
    $db: 'test',
    lsid,
    txnNumber: Long.fromNumber(number),
  };
  expect(await client.run(body)).toMatchObject({ n: 1, writeErrors: [{ index: 1, code: 11000 }] });
  await collection.deleteOne({ _id: 2 });
  expect(await client.run(body)).toMatchObject({ n: 2, retriedStmtIds: [0] });
});

test('an older number is refused, and so is a write of many documents', async () => {
  const name = freshName();
  const send = (command: Record<string, unknown>, txnNumber: number) =>
    client.run({ ...command, $db: 'test', lsid, txnNumber: Long.fromNumber(txnNumber) });
  await twice({ insert: name, documents: [{ _id: 1 }] });
  expect(await send({ insert: name, documents: [{ _id: 2 }] }, number - 1)).toMatchObject({
    ok: 0,
    code: 225,
  });
  const multi = { update: name, updates: [{ q: {}, u: { $set: { a: 1 } }, multi: true }] };
  expect(await send(multi, number + 1)).toMatchObject({ ok: 0, code: 72 });
  expect(await send({ delete: name, deletes: [{ q: {}, limit: 0 }] }, number + 2)).toMatchObject({
    ok: 0,
    code: 72,
  });
});

test('the driver sends a write again whose connection was lost', async () => {
  const collection = server.db.collection<Numbered>(freshName());
  await collection.insertOne({ _id: 1, n: 0 });
  const data = { failCommands: ['update'], closeConnection: true };
  await server.client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
  await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } });
  expect(await collection.findOne()).toEqual({ _id: 1, n: 1 });
});
