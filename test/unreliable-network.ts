import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { afterEach } from 'vitest';
import { LocalProcessor, type LocalProcessorOptions } from '../local/processor.js';
import { TcpProxy } from './chaos/tcp-proxy.js';
import { silent, type TestDatabase } from './database.js';

/** A client with a proxy as its only way to the database. */
export interface UnreliableNetwork {
  readonly proxy: TcpProxy;
  readonly db: Db;
  readonly processor: LocalProcessor;
}

/** Sets up proxies. Call it at the top of a test file. Returns a function that makes a processor behind a new proxy. */
export function useUnreliableNetwork(
  database: TestDatabase,
): (
  options?: Partial<LocalProcessorOptions>,
  client?: MongoClientOptions & { readonly databaseName?: string },
) => Promise<UnreliableNetwork> {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()));
  });

  return async (options = {}, { databaseName = database.name, ...clientOptions } = {}) => {
    const { hostname, port } = new URL(database.uri);
    const proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
    // After a broken connection the driver looks for the server again, by default only after half a second.
    const client = new MongoClient(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`, {
      minHeartbeatFrequencyMS: 20,
      ...clientOptions,
    });
    closing.push(async () => {
      await client.close(true);
      await proxy.close();
    });
    const db = client.db(databaseName);
    return { proxy, db, processor: new LocalProcessor({ db, log: silent, ...options }) };
  };
}
