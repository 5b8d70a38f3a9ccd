import { randomBytes } from 'node:crypto';
import { type Db, MongoClient } from 'mongodb';
import type { Bench } from '../bench.js';

/** Work under way, with the number of commands it sent. */
export interface Counted {
  readonly db: Db;
  readonly counting: (
    work: () => Promise<unknown>,
  ) => Promise<{ readonly commands: number; readonly ms: number }>;
}

/** Calls `work` with a database of its own, whose commands can be counted. */
export async function withClient(bench: Bench, work: (counted: Counted) => Promise<void>): Promise<void> {
  const client = await new MongoClient(bench.server.uri, { monitorCommands: true }).connect();
  const db = client.db(`bench-${randomBytes(6).toString('hex')}`);
  let commands = 0;
  client.on('commandStarted', () => {
    commands += 1;
  });
  try {
    await work({
      db,
      counting: async (counted) => {
        const [before, began] = [commands, performance.now()];
        await counted();
        return { commands: commands - before, ms: performance.now() - began };
      },
    });
  } finally {
    await db.dropDatabase();
    await client.close();
  }
}
