import { randomBytes } from 'node:crypto';
import type { Db } from 'mongodb';
import { type Blueprint, build, readBlueprint } from './blueprint.js';
import type { Programs } from './bundle.js';
import type { WorkerName } from './contenders/contender.js';
import { contenders } from './contenders/index.js';
import type { Results } from './results.js';
import { runTask } from './run-task.js';
import type { Server } from './server.js';

/** The tools of a measurement. */
export interface Bench {
  readonly server: Server;
  readonly programs: Programs;
  /** Whether each measurement takes its smaller form. */
  readonly isQuick: boolean;
  readonly results: Results;
  /** The blueprints made so far, the same for all databases. */
  readonly blueprints: Map<WorkerName, Blueprint>;
  /** Reports progress. */
  say(line: string): void;
}

/** A measurement that can be chosen by its name. */
export interface Measurement {
  readonly name: string;
  /** The text for the help. */
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

/** Prepares a blueprint in its own process, so that code loaded for making indexes adds no memory to a worker. */
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

/** Returns the contenders in the order of a round. A different one comes first each time. */
export function inTurn<Name>(names: readonly Name[], round: number): Name[] {
  const first = round % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}
