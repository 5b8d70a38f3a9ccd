import { type CollectionDescription, expiring, moment, text } from '../mongo/collection-description.js';

/** One document of the collection `workers`: an invocation that is under way and has claimed something. */
export interface WorkerDocument {
  /** The name in the leases of its jobs. */
  readonly _id: string;
  /** Of its processor. */
  readonly processor: string;
  readonly maxThreads: number;
  /** Those that it takes jobs from; absent for all. */
  readonly queues?: readonly string[];
  readonly started: Date;
  /** From then on it counts as crashed. It is put off as long as the invocation goes on. */
  readonly expires: Date;
  /** Of the place in which one waits for jobs alone: who has it. See waiting-place.ts. */
  readonly worker?: string;
}

/** A worker as the API gives it: the document, with `id` for `_id`. */
export type LiveWorker = { readonly id: string } & Omit<WorkerDocument, '_id' | 'worker'>;

export const workersCollection: CollectionDescription = {
  name: 'workers',
  ours: { _id: text, processor: text, expires: moment },
  // Counting those that live; MongoDB deletes those that crashed.
  indexes: [expiring('expiry', 'expires', { processor: text }, 60)],
  formerIndexes: [{ name: 'expires', key: { expires: 1 }, expireAfterSeconds: 60 }],
};
