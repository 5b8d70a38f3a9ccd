import type { Db } from 'mongodb';
import type { Programs } from './bundle.js';
import type { Reading, Setting } from './child/setting.js';
import { Child } from './child-process.js';
import type { Server } from './server.js';

/** The tools for running a task. */
interface Tools {
  readonly server: Pick<Server, 'uri'>;
  readonly programs: Pick<Programs, 'worker'>;
}

export interface TaskOptions extends Omit<Setting, 'uri' | 'database'> {
  readonly db: Pick<Db, 'databaseName'>;
  /** Default: the address of the MongoDB that all contenders work with. */
  readonly uri?: string;
}

/** Runs a task that ends by itself, in its own process. */
export async function runTask(
  { server, programs }: Tools,
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
