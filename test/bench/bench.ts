import { randomBytes } from 'node:crypto';
import type { Db } from 'mongodb';
import { type Blueprint, build, readBlueprint } from './blueprint.js';
import type { Programs } from './bundle.js';
import type { WorkerName } from './contenders/contender.js';
import { contenders } from './contenders/index.js';
import type { Results } from './results.js';
import { runTask } from './run-task.js';
import type { Server } from './server.js';

/** What a measurement works with. */
export interface Bench {
  readonly server: Server;
  readonly programs: Programs;
  /** A smaller form of each measurement. */
  readonly isQuick: boolean;
  readonly results: Results;
  /** Of those that were prepared once: the same for all databases. */
  readonly blueprints: Map<WorkerName, Blueprint>;
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
  bench: Bench,
  contender: WorkerName,
  count: number,
  work: (db: Db) => Promise<Result>,
): Promise<Result> {
  const blueprint = bench.blueprints.get(contender) ?? (await prepare(bench, contender));
  bench.blueprints.set(contender, blueprint);
  return withDatabase(bench, async (db) => {
    await build(db, blueprint, contenders[contender].storage, count);
    return work(db);
  });
}

/** In a process of its own: what a library loads to make its indexes is not in the memory of who works with them. */
async function prepare(bench: Bench, contender: WorkerName): Promise<Blueprint> {
  return withDatabase(bench, async (db) => {
    await runTask(bench, { contender, task: 'prepare', db });
    return readBlueprint(db);
  });
}

async function withDatabase<Result>({ server }: Bench, work: (db: Db) => Promise<Result>): Promise<Result> {
  const db = server.client.db(`bench-${randomBytes(6).toString('hex')}`);
  try {
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
