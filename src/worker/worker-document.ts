import { type CollectionDescription, expiring, moment, text } from '../mongo/collection-description.js';

/** A worker: an invocation that is under way and has claimed a job. */
export interface LiveWorker {
  /** Name of the worker in the leases of its jobs. */
  readonly id: string;
  /** Name of the processor. */
  readonly processor: string;
  readonly maxThreads: number;
  /** Queues that the worker takes jobs from. Absent for all. */
  readonly queues?: readonly string[];
  readonly started: Date;
  /** When the worker counts as crashed. Extended while the invocation goes on. */
  readonly expires: Date;
}

/** Document of the collection `workers`. */
export interface WorkerDocument extends Omit<LiveWorker, 'id'> {
  readonly _id: string;
  /** Holder of a permit to wait. Absent in other documents. See linger-permit.ts. */
  readonly worker?: string;
}

export const workersCollection: CollectionDescription = {
  name: 'workers',
  ours: { _id: text, processor: text, expires: moment },
  // Counting those that live; MongoDB deletes those that crashed.
  indexes: [expiring('expiry', 'expires', { processor: text }, 60)],
  formerIndexes: [{ name: 'expires', key: { expires: 1 }, expireAfterSeconds: 60 }],
};
