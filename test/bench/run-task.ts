import type { Db } from 'mongodb';
import type { Bench } from './bench.js';
import type { Reading, Setting } from './child/setting.js';
import { Child } from './child-process.js';

/** Runs a task that ends by itself, in a process of its own. */
export async function runTask(
  { server, programs }: Bench,
  { db, ...setting }: Omit<Setting, 'uri' | 'database'> & { readonly db: Db },
): Promise<Reading> {
  const child = await Child.start(programs.worker, {
    ...setting,
    uri: server.uri,
    database: db.databaseName,
  });
  try {
    child.tell('begin');
    return await child.reading;
  } finally {
    child.kill();
  }
}
