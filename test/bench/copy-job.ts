import { type Db, type Document, ObjectId } from 'mongodb';
import type { Storage } from './contenders/contender.js';

/** The number of documents in one insert. Jobs of half a KiB stay far below the limit of a message. */
const INSERT_SIZE = 5000;

/**
 * Makes `copies` jobs that look like the one that the library added itself. They are due one millisecond apart, the
 * last just before that job. Adding a million through each library would take longer than the rest of the benchmark.
 */
export async function copyJob(db: Db, storage: Storage, copies: number): Promise<void> {
  const jobs = db.collection(storage.collection);
  const job = await jobs.findOne();
  if (job === null) throw new Error(`There is no job in ${storage.collection}.`);
  for (let first = 1; first <= copies; first += INSERT_SIZE) {
    const length = Math.min(INSERT_SIZE, copies - first + 1);
    const documents = Array.from({ length }, (_, index) => copyOf(job, storage, first + index, copies));
    await jobs.insertMany(documents, { ordered: false });
  }
}

function copyOf(job: Document, { input, due }: Storage, n: number, copies: number): Document {
  const _id = new ObjectId();
  return {
    ...job,
    _id: typeof job._id === 'string' ? _id.toHexString() : _id,
    [input]: { ...job[input], n },
    [due]: new Date(job[due].getTime() - (copies - n + 1)),
  };
}
