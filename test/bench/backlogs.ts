import { type Db, ObjectId } from 'mongodb';
import { z } from 'zod';
import { defineJob, RemoteProcessor } from '../../src/index.js';
import type { JobDocument } from '../../src/job/job.js';
import { collectionNames } from '../collection-names.js';

/** A way in which many jobs wait, and the queues of the worker that claims them. */
export interface Backlog {
  readonly name: string;
  /** The queues that the worker takes jobs from. Default: all. */
  readonly queues?: readonly string[];
  /** Returns how the n-th job differs from a job that is ready. */
  readonly change: (n: number, now: Date) => Partial<JobDocument>;
}

const DAY_MS = 24 * 3600 * 1000;

/** The backlogs that must not make a claim more expensive. */
export const backlogs: readonly Backlog[] = [
  { name: 'all ready', change: () => ({}) },
  {
    name: 'half of them delayed, of higher priority',
    change: (n, now) =>
      n % 2 === 0 ? {} : { priority: 1 + (n % 9), runAt: new Date(now.getTime() + DAY_MS + n) },
  },
  {
    name: 'half of them completed',
    change: (n, now) => (n % 2 === 0 ? {} : { status: 'completed', completed: now, retryCounter: 1 }),
  },
  { name: 'in 50 queues, one asked for', queues: ['queue 7'], change: (n) => ({ queue: `queue ${n % 50}` }) },
];

/** Returns the job that waits in every backlog. */
export function waitingJob(run: () => void) {
  return defineJob({ name: 'waiting', input: z.object({ n: z.int() }), run });
}

/** The number of documents in one insert. */
const INSERT_SIZE = 5000;

/** Fills an empty database with `count` jobs, as `addJob` would have made them. */
export async function fill(db: Db, { change }: Backlog, count: number): Promise<void> {
  const processor = new RemoteProcessor({ db });
  await processor.ensureIndexes();
  const waiting = waitingJob(() => {});
  await processor.addJobFactory(waiting);
  const jobs = db.collection<JobDocument>(collectionNames.jobs);
  const id = await processor.addJob(waiting, { n: 0 });
  const model = await jobs.findOneAndDelete({ _id: id });
  if (model === null) throw new Error('The job that is to be copied is gone.');
  for (let first = 0; first < count; first += INSERT_SIZE) {
    const length = Math.min(INSERT_SIZE, count - first);
    const copies = Array.from({ length }, (_, index): JobDocument => {
      const n = first + index;
      const runAt = new Date(model.runAt.getTime() - count + n);
      return { ...model, _id: new ObjectId().toHexString(), input: { n }, runAt, ...change(n, model.runAt) };
    });
    await jobs.insertMany(copies, { ordered: false });
  }
}
