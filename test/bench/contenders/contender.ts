import type { BenchLimit } from '../bench-limit.js';

/** The contenders on MongoDB. `floor` is the least that any of them could do. */
export const contenderNames = ['remote-processor', 'agenda', 'mongo-jobs', 'floor'] as const;
export type ContenderName = (typeof contenderNames)[number];

/** This project, which the others are compared with. */
export const OURS = 'remote-processor';

/** The contenders that can run as workers, which include Agenda with its defaults. */
export const workerNames = [...contenderNames, 'agenda-as-it-comes'] as const;
export type WorkerName = (typeof workerNames)[number];

/** The libraries that work on databases other than MongoDB. */
export const neighbourNames = ['bullmq', 'graphile-worker', 'pg-boss'] as const;
export type NeighbourName = (typeof neighbourNames)[number];

/** A library of durable steps, which has no queue to compare. */
export const DBOS = 'dbos';

/** The name of anything that has figures. */
export type MeasuredName = ContenderName | NeighbourName | typeof DBOS;

/** A job queue library, set up and used according to its own documentation. */
export interface Participant {
  /** The name in tables. */
  readonly title: string;
  /** Connects to the database of `workplace`. Writes only what the library needs. */
  open(workplace: Workplace): Promise<Queue>;
}

/** A library that works on MongoDB. */
export interface Contender extends Participant {
  readonly storage: Storage;
}

/** The place where a library keeps its jobs. The benchmark makes many copies of a job that the library added there. */
export interface Storage {
  readonly collection: string;
  /** The field with a job's input, whose `n` is the number of the job. */
  readonly input: string;
  /** The field with the time from which a job may run. */
  readonly due: string;
}

/** The environment of an open queue: its database, and how it works. */
export interface Workplace {
  readonly uri: string;
  readonly database: string;
  /** The number of jobs that run at a time. */
  readonly concurrency: number;
  /** How the jobs are limited. Absent: not at all. */
  readonly limit?: BenchLimit | undefined;
  /** The work of a job. */
  readonly run: (n: number) => Promise<JobResult>;
  /**
   * The way a waiting worker learns of a new job: by polling every second, by the library's own means, or by a change
   * stream. With `none`, the jobs exist before the worker.
   */
  readonly wakeUp: 'none' | 'polling' | 'own' | 'change stream';
}

/** The result of a job. Undefined unless the setting asks for one. */
export type JobResult = { readonly n: number } | undefined;

/** An open queue, in the process that adds or works. */
export interface Queue {
  /** The client, if the library works on MongoDB. */
  readonly client?: Monitored;
  ensureIndexes(): Promise<void>;
  addOne(n: number): Promise<void>;
  /** Adds jobs from `first` on, in the fastest way there is. */
  addMany(first: number, count: number): Promise<void>;
  /**
   * Starts a worker. Resolves to a function that stops the worker, and resolves when all jobs that it began are
   * settled.
   */
  work(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** A MongoClient of any driver version that reports its commands. */
export interface Monitored {
  on(event: 'commandStarted', listener: (event: { readonly commandName: string }) => void): unknown;
  on(
    event: 'commandSucceeded' | 'commandFailed',
    listener: (event: { readonly commandName: string }) => void,
  ): unknown;
}

/** The time between two polls of a worker that nothing else wakes. */
export const POLL_MS = 1000;

/** The number of adds at a time for a library without a call to add many. The driver has as many connections. */
const ADDS_AT_A_TIME = 100;

/** Implements `addMany` for a library that has no such call. */
export async function addOneByOne(queue: Pick<Queue, 'addOne'>, first: number, count: number): Promise<void> {
  let next = first;
  const lane = async () => {
    while (next < first + count) {
      const n = next;
      next += 1;
      await queue.addOne(n);
    }
  };
  await Promise.all(Array.from({ length: ADDS_AT_A_TIME }, lane));
}
