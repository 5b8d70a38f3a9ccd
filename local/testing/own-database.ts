import { randomBytes } from 'node:crypto';
import { type Db, MongoClient } from 'mongodb';
import { type EmbeddedMongo, startEmbeddedMongo } from '../mongo/index.js';

/** A database on the embedded server of this process, with a clock of its own. */
export interface OwnDatabase {
  readonly db: Db;
  /** Removes expired documents at once. */
  removeExpired(): void;
  /** Drops the database, and stops the server when no other database is in use. */
  close(): Promise<void>;
}

interface RunningServer {
  readonly mongo: EmbeddedMongo;
  readonly client: MongoClient;
}

/** The clocks of the databases in use, by name. */
const clocks = new Map<string, () => number>();

/** The server of all databases in use. Undefined while there is none. */
let running: Promise<RunningServer> | undefined;

/** Makes an empty database. Its time is that of `clock`, in milliseconds since the epoch. Starts the server if needed. */
export async function openOwnDatabase(clock: () => number): Promise<OwnDatabase> {
  const name = `test-${randomBytes(6).toString('hex')}`;
  clocks.set(name, clock);
  running ??= start();
  const { mongo, client } = await running;
  const db = client.db(name);
  return {
    db,
    removeExpired: () => void mongo.removeExpired(),
    async close() {
      if (!clocks.has(name)) return;
      await db.dropDatabase();
      clocks.delete(name);
      if (clocks.size === 0) await stop();
    },
  };
}

async function start(): Promise<RunningServer> {
  const mongo = await startEmbeddedMongo({ clock: (database) => clocks.get(database)?.() ?? Date.now() });
  return { mongo, client: await new MongoClient(mongo.uri).connect() };
}

async function stop(): Promise<void> {
  const last = running;
  running = undefined;
  if (last === undefined) return;
  const { client, mongo } = await last;
  await client.close();
  await mongo.stop();
}
