import { once } from 'node:events';
import {
  type Document,
  MongoClient,
  type MongoClientOptions,
  type ServerHeartbeatSucceededEvent,
} from 'mongodb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TcpProxy } from '../../chaos/tcp-proxy.js';
import { message, RawClient, section } from './raw-client.js';
import { freshName, refusal, useServer } from './server.js';

const EXHAUST_ALLOWED = 1 << 16;
/** A change of the topology is awaited for so long, unless a test says otherwise. */
const AWAITED_MS = 20;
/** Longer than a test takes. */
const NEVER_MS = 600_000;
const NOT_PRIMARY = 10107;

const server = useServer();
let proxy: TcpProxy;
let client: MongoClient;
let raw: RawClient;

beforeEach(async () => {
  proxy = await TcpProxy.start({ host: '127.0.0.1', port: server.mongo.port });
  raw = await RawClient.open(server.mongo.port);
});
afterEach(async () => {
  raw.close();
  await client?.close();
  await proxy.close();
});

test.each(['poll', 'stream'] as const)(
  'a driver whose connections close all at once, a command among them, finds the server again (%s)',
  async (mode) => {
    await connect({ serverMonitoringMode: mode });
    await fail({ failCommands: ['find'], blockConnection: true, blockTimeMS: NEVER_MS });
    const found = client.db('test').collection(freshName()).findOne();
    // The one used last: then the command learns of its end in the very moment between end and close of the monitor's.
    await heartbeat();
    proxy.cut();
    expect(await found).toBeNull();
    expect(await client.db('test').command({ ping: 1 })).toMatchObject({ ok: 1 });
  },
);

test('a driver that does not poll is told of the server again and again, and at once that it is gone', async () => {
  await connect({});
  expect((await heartbeat()).awaited).toBe(true);
  expect((await heartbeat()).awaited).toBe(true);
  proxy.cut(); // One that polls sees at its next check that it has to connect again, and calls nothing failed.
  await once(client, 'serverHeartbeatFailed');
});

test('a hello that awaits a change is answered without end to who allows it, and else once', async () => {
  const { topologyVersion } = await raw.run({ hello: 1, $db: 'admin' });
  const awaiting = { hello: 1, topologyVersion, maxAwaitTimeMS: AWAITED_MS, $db: 'admin' };
  expect(await raw.run(awaiting)).toMatchObject({ ok: 1, topologyVersion });
  expect(await raw.run({ ping: 1, $db: 'admin' })).not.toHaveProperty('topologyVersion');
  raw.write(message(section(awaiting), EXHAUST_ALLOWED));
  for (const _ of [1, 2, 3]) expect(await raw.read()).toMatchObject({ ok: 1, topologyVersion });
});

test('who awaits a change learns at once that a fail point had the server say it is not the primary', async () => {
  const { topologyVersion } = await raw.run({ hello: 1, $db: 'admin' });
  const awaiting = section({ hello: 1, topologyVersion, maxAwaitTimeMS: NEVER_MS, $db: 'admin' });
  raw.write(message(awaiting, EXHAUST_ALLOWED));
  for (const _ of [1, 2]) {
    await fail({ failCommands: ['ping'], errorCode: NOT_PRIMARY });
    const refused = await refusal(server.db.command({ ping: 1 }));
    expect(refused).toMatchObject({ code: NOT_PRIMARY });
    const told = await raw.read();
    expect(told.topologyVersion).toEqual({ ...refused.topologyVersion, counter: expect.anything() });
    expect(Number(told.topologyVersion.counter)).toBeGreaterThan(Number(refused.topologyVersion.counter));
  }
});

test('who learned by an error that it is not the primary, and awaits what comes after, is answered at once', async () => {
  await fail({ failCommands: ['ping'], errorCode: NOT_PRIMARY });
  const { topologyVersion } = await refusal(server.db.command({ ping: 1 }));
  const awaiting = { hello: 1, topologyVersion, maxAwaitTimeMS: NEVER_MS, $db: 'admin' };
  expect(await raw.run(awaiting)).toMatchObject({ ok: 1, isWritablePrimary: true });
});

test.each(['poll', 'stream'] as const)('a driver that is told so tries again at once (%s)', async (mode) => {
  await connect({ serverMonitoringMode: mode, heartbeatFrequencyMS: NEVER_MS });
  await fail({ failCommands: ['find'], errorCode: NOT_PRIMARY });
  expect(await client.db('test').collection(freshName()).findOne()).toBeNull();
});

test('any number of drivers may await a change', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  const { topologyVersion } = await raw.run({ hello: 1, $db: 'admin' });
  const awaiting = { hello: 1, topologyVersion, maxAwaitTimeMS: AWAITED_MS, $db: 'admin' };
  const drivers = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(server.mongo.port)));
  process.on('warning', note);
  await Promise.all(drivers.map((driver) => driver.run(awaiting)));
  process.off('warning', note);
  for (const driver of drivers) driver.close();
  expect(warnings).toEqual([]);
});

test('a hello that awaits nothing, or is refused, is answered once whatever is allowed', async () => {
  for (const fields of [{}, { topologyVersion: {}, maxAwaitTimeMS: AWAITED_MS, apiVersion: '2' }]) {
    raw.write(message(section({ hello: 1, ...fields, $db: 'admin' }), EXHAUST_ALLOWED));
    await raw.read();
    const reply = await raw.run({ ping: 1, $db: 'admin' });
    expect([reply.ok, reply.errmsg, reply.isWritablePrimary]).toEqual([1, undefined, undefined]);
  }
});

/** With a minimum of 0 between two checks, one is made in the moment in which a command fails. */
async function connect(options: MongoClientOptions): Promise<void> {
  const timing = { minHeartbeatFrequencyMS: 0, heartbeatFrequencyMS: 500, serverSelectionTimeoutMS: 2_000 };
  const uri = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
  client = await new MongoClient(uri, { ...timing, ...options }).connect();
}

async function heartbeat(): Promise<ServerHeartbeatSucceededEvent> {
  const [event] = await once(client, 'serverHeartbeatSucceeded');
  return event;
}

/** What becomes of the next command. */
async function fail(data: Document): Promise<void> {
  await server.db.admin().command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
}
