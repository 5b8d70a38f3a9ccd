import { type CollectionDescription, expiring, moment, text } from '../mongo/collection-description.js';

/** Document of the collection `workers`: an invocation that is under way and has claimed a job. */
export interface WorkerDocument {
  /** Name of the worker in the leases of its jobs. */
  readonly _id: string;
  /** Name of the processor. */
  readonly processor: string;
  readonly maxThreads: number;
  /** Queues that the worker takes jobs from. Absent for all. */
  readonly queues?: readonly string[];
  readonly started: Date;
  /** When the worker counts as crashed. Extended while the invocation goes on. */
  readonly expires: Date;
  /** Holder of a waiting place. Absent in other documents. See waiting-place.ts. */
  readonly worker?: string;
}

/** Worker as returned by the API: its document with `id` instead of `_id`. */
export type LiveWorker = { readonly id: string } & Omit<WorkerDocument, '_id' | 'worker'>;

export const workersCollection: CollectionDescription = {
  name: 'workers',
  ours: { _id: text, processor: text, expires: moment },
  // Counting those that live; MongoDB deletes those that crashed.
  indexes: [expiring('expiry', 'expires', { processor: text }, 60)],
  formerIndexes: [{ name: 'expires', key: { expires: 1 }, expireAfterSeconds: 60 }],
};
