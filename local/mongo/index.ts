import { type AddressInfo, createServer, type Socket } from 'node:net';
import { z } from 'zod';
import { validateNow } from '../../src/validate.js';
import { isAwaitable } from './command/hello.js';
import { Dispatcher } from './dispatch.js';
import type { CommandError } from './errors.js';
import { serveConnection } from './wire/connection.js';
import type { Reply, Request } from './wire/message.js';
import { encodeReply } from './wire/reply.js';

/** Options of `startEmbeddedMongo`. */
export interface EmbeddedMongoOptions {
  /** The TCP port on 127.0.0.1. Default 0, any free port. */
  readonly port?: number;
  /**
   * The server's clock in milliseconds since the epoch, for `$$NOW`, `hello.localTime`, TTL and the server's ObjectIds. It
   * is called with the name of the database, so that each database can have its own time. Cluster times and ObjectIds use
   * the time of the database `admin`.
   */
  readonly clock?: (database: string) => number;
}

/** A running embedded MongoDB. */
export interface EmbeddedMongo {
  /** The connection string for `MongoClient`. */
  readonly uri: string;
  readonly port: number;
  /** Removes expired documents of TTL indexes at once, not only every few seconds. Returns their number. */
  removeExpired(): number;
  /** Closes all connections and forgets all data. */
  stop(): Promise<void>;
}

const optionsSchema = z.strictObject({
  port: z.int().min(0).max(65_535).default(0),
  clock: z
    .custom<(database: string) => number>((value) => typeof value === 'function', 'expected a function')
    .default(() => Date.now),
});

/** The time between two removals of expired documents. MongoDB waits a minute. */
const TTL_INTERVAL_MS = 5_000;

/**
 * Starts a small MongoDB-compatible server for development and tests. It presents itself as MongoDB 7.0, the primary of
 * a replica set with one member. It keeps all data in memory, and `stop()` discards the data.
 *
 * ```ts
 * const { uri, stop } = await startEmbeddedMongo();
 * const client = await new MongoClient(uri).connect();
 * ```
 *
 * @throws ValidationError listing invalid options, and an Error if the port is in use
 */
export async function startEmbeddedMongo(options: EmbeddedMongoOptions = {}): Promise<EmbeddedMongo> {
  const { port: wanted, clock } = validateNow(optionsSchema, options, 'The call of startEmbeddedMongo');
  const dispatcher = new Dispatcher(clock);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(socket, (request, error) =>
      error === undefined ? answer(dispatcher, request) : refuse(dispatcher, error),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  dispatcher.server.address = `127.0.0.1:${port}`;
  const expiry = setInterval(() => dispatcher.removeExpired(), TTL_INTERVAL_MS);
  expiry.unref();
  return {
    uri: `mongodb://127.0.0.1:${port}/?replicaSet=${dispatcher.server.setName}`,
    port,
    removeExpired: () => dispatcher.removeExpired(),
    stop: async () => {
      clearInterval(expiry);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      dispatcher.close();
      await closed;
    },
  };
}

/** Answers a request. A driver that monitors the server gets a further `hello` after each change. */
async function answer(dispatcher: Dispatcher, { body, exhaustAllowed }: Request): Promise<Reply> {
  const reply = await dispatcher.run(body);
  const moreToCome = exhaustAllowed && isAwaitable(body) && reply.ok === 1;
  if (moreToCome) body.topologyVersion = reply.topologyVersion; // The next reply is about changes since this version.
  return { document: encodeReply(reply), moreToCome };
}

async function refuse(dispatcher: Dispatcher, error: CommandError): Promise<Reply> {
  return { document: encodeReply(dispatcher.refuse(error)), moreToCome: false };
}
