import { randomBytes } from 'node:crypto';
import { type Db, type Document, MongoClient, type MongoClientOptions } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { type EmbeddedMongo, startEmbeddedMongo } from '../../../local/mongo/index.js';

/** A server for one test file, with a client and a clock that stands still until a test moves it. */
export interface TestServer {
  readonly mongo: EmbeddedMongo;
  readonly client: MongoClient;
  readonly db: Db;
  /** The server's clock, in milliseconds since the epoch. */
  now: number;
}

const NOON = Date.UTC(2026, 0, 31, 12);

/** Sets up a server. Call it at the top of a test file. Use its fields inside tests. */
export function useServer(options: MongoClientOptions = {}): TestServer {
  const server: { mongo?: EmbeddedMongo; client?: MongoClient; now: number } = { now: NOON };
  beforeAll(async () => {
    server.mongo = await startEmbeddedMongo({ clock: () => server.now });
    server.client = await new MongoClient(server.mongo.uri, options).connect();
  });
  afterAll(async () => {
    await server.client?.close();
    await server.mongo?.stop();
  });
  return {
    get mongo() {
      return started(server.mongo);
    },
    get client() {
      return started(server.client);
    },
    get db() {
      return started(server.client).db('test');
    },
    get now() {
      return server.now;
    },
    set now(value) {
      server.now = value;
    },
  };
}

/** A document whose `_id` is a number. */
export type Numbered = Document & { _id: number };

/** Returns a collection name that no other test uses. */
export function freshName(): string {
  return `c${randomBytes(6).toString('hex')}`;
}

/** Returns the fields of an error reply that callers look at. */
export async function refusal(attempt: Promise<unknown>): Promise<Document> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof Error) return { ...error, message: error.message };
  }
  throw new Error('expected the command to be refused');
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the server is used outside of a test');
  return value;
}
