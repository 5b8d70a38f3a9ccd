import { randomBytes } from 'node:crypto';
import type { Db } from 'mongodb';
import type { Programs } from './bundle.js';
import { Child } from './child-process.js';
import type { WorkerName } from './contenders/contender.js';
import { contenders } from './contenders/index.js';
import { copyJob } from './copy-job.js';
import type { Results } from './results.js';
import type { Server } from './server.js';

/** What a measurement works with. */
export interface Bench {
  readonly server: Server;
  readonly programs: Programs;
  /** A smaller form of each measurement. */
  readonly isQuick: boolean;
  readonly results: Results;
  /** Tells how far it is. */
  say(line: string): void;
}

/** Something that is measured, and can be chosen by its name. */
export interface Measurement {
  readonly name: string;
  /** For the help. */
  readonly about: string;
  run(bench: Bench): Promise<void>;
}

/** Calls `work` with a database of its own for this contender, with its indexes and `count` due jobs. */
export async function withJobs<Result>(
  { server, programs }: Bench,
  contender: WorkerName,
  count: number,
  work: (db: Db) => Promise<Result>,
): Promise<Result> {
  const db = server.client.db(`bench-${randomBytes(6).toString('hex')}`);
  try {
    const child = await Child.start(programs.worker, {
      contender,
      task: 'prepare',
      uri: server.uri,
      database: db.databaseName,
    });
    child.tell('begin');
    await child.reading;
    const { storage } = contenders[contender];
    if (count === 0) await db.collection(storage.collection).deleteMany({});
    else await copyJob(db, storage, count - 1);
    return await work(db);
  } finally {
    await db.dropDatabase();
  }
}

/** The order of the contenders in a round: another one comes first each time. */
export function inTurn<Name>(names: readonly Name[], round: number): Name[] {
  const first = round % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}
