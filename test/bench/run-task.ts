import type { Db } from 'mongodb';
import type { Bench } from './bench.js';
import type { Reading, Setting } from './child/setting.js';
import { Child } from './child-process.js';

export interface TaskOptions extends Omit<Setting, 'uri' | 'database'> {
  readonly db: Pick<Db, 'databaseName'>;
  /** Default: the address of the MongoDB that all contenders work with. */
  readonly uri?: string;
}

/** Runs a task that ends by itself, in its own process. */
export async function runTask(
  { server, programs }: Bench,
  { db, uri = server.uri, ...setting }: TaskOptions,
): Promise<Reading> {
  const child = await Child.start(programs.worker, { ...setting, uri, database: db.databaseName });
  try {
    child.tell('begin');
    return await child.reading;
  } finally {
    child.kill();
  }
}
