/** What is compared on MongoDB; `floor` is the least that any of them could do. */
export const contenderNames = ['remote-processor', 'agenda', 'mongo-jobs', 'floor'] as const;
export type ContenderName = (typeof contenderNames)[number];

/** This project: the others are compared with it. */
export const OURS = 'remote-processor';

/** Who can be told to work: besides those, Agenda with what nobody set otherwise. */
export const workerNames = [...contenderNames, 'agenda-as-it-comes'] as const;
export type WorkerName = (typeof workerNames)[number];

/** The libraries that work on servers of another kind. */
export const neighbourNames = ['bullmq', 'graphile-worker'] as const;
export type NeighbourName = (typeof neighbourNames)[number];

/** Whoever figures are of. */
export type MeasuredName = ContenderName | NeighbourName;

/** A job queue library, set up and used as its own documentation says. */
export interface Participant {
  /** In tables. */
  readonly title: string;
  /** Connects to the database of `workplace`. Writes nothing but what the library cannot do without. */
  open(workplace: Workplace): Promise<Queue>;
}

/** One that works on MongoDB. */
export interface Contender extends Participant {
  readonly storage: Storage;
}

/** Where a library keeps its jobs, so that many can be copied from one that it made itself. */
export interface Storage {
  readonly collection: string;
  /** The field with a job's input; its `n` is the number of the job. */
  readonly input: string;
  /** The field with the time from which a job may run. */
  readonly due: string;
}

/** What a queue is opened for. */
export interface Workplace {
  readonly uri: string;
  readonly database: string;
  /** How many jobs run at a time. */
  readonly concurrency: number;
  /** The work of a job. */
  readonly run: (n: number) => Promise<JobResult>;
  /**
   * How a worker that waits learns of a new job: by looking every second, or by what the library has for that. `none`:
   * the jobs are there before the worker.
   */
  readonly wakeUp: 'none' | 'polling' | 'own' | 'change stream';
}

/** What a job returns: nothing, unless it is told to. */
export type JobResult = { readonly n: number } | undefined;

/** An open queue, in the process that adds or works. */
export interface Queue {
  /** Only of a library on MongoDB. */
  readonly client?: Monitored;
  /** Makes the indexes. */
  ensureIndexes(): Promise<void>;
  addOne(n: number): Promise<void>;
  /** Adds jobs from `first` on, by the fastest way there is. */
  addMany(first: number, count: number): Promise<void>;
  /** Starts a worker. Resolves to what stops it, which resolves when all that it began is settled. */
  work(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** A MongoClient of any version of the driver, as far as it tells of its commands. */
export interface Monitored {
  on(event: 'commandStarted', listener: (event: { readonly commandName: string }) => void): unknown;
  on(
    event: 'commandSucceeded' | 'commandFailed',
    listener: (event: { readonly commandName: string }) => void,
  ): unknown;
}

/** How often a worker looks for jobs, where nothing else wakes it. */
export const POLL_MS = 1000;

/** How many adds are under way at a time where there is no call for many: as many as the driver has connections. */
const ADDS_AT_A_TIME = 100;

/** `addMany` of a library without a call for it. */
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
