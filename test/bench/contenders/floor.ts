import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, MongoClient, type ObjectId } from 'mongodb';
import { type Contender, POLL_MS, type Workplace } from './contender.js';

interface FloorJob {
  _id: ObjectId;
  status: 'queued' | 'processing' | 'completed';
  due: Date;
  input: { n: number };
  token?: string;
}

type NewFloorJob = Omit<FloorJob, '_id'>;

/** The number of documents in one insert. */
const INSERT_SIZE = 1000;

/**
 * The least that a queue of this kind could do. It finds jobs, takes them by one update with a token, runs them, and
 * settles them by one bulk write. It validates nothing, has no lease, waits for the slowest job of a batch, and runs
 * jobs twice when two workers share a database.
 */
export const floor: Contender = {
  title: 'floor',
  storage: { collection: 'jobs', input: 'input', due: 'due' },
  async open(workplace) {
    const { uri, database } = workplace;
    const client = await new MongoClient(uri, { monitorCommands: true }).connect();
    const jobs = client.db(database).collection<NewFloorJob>('jobs');
    let wake = new AbortController();
    return {
      client,
      async ensureIndexes() {
        await jobs.createIndex({ status: 1, due: 1 });
      },
      async addOne(n) {
        await jobs.insertOne(newJob(n));
        wake.abort();
      },
      async addMany(first, count) {
        for (let at = first; at < first + count; at += INSERT_SIZE) {
          const length = Math.min(INSERT_SIZE, first + count - at);
          await jobs.insertMany(Array.from({ length }, (_, index) => newJob(at + index)));
        }
      },
      async work() {
        let isStopped = false;
        const loop = async () => {
          while (!isStopped) {
            if ((await runBatch(jobs, workplace)) > 0) continue;
            await sleep(POLL_MS, undefined, { signal: wake.signal }).catch(() => {});
            wake = new AbortController();
          }
        };
        const ended = loop();
        return async () => {
          isStopped = true;
          wake.abort();
          await ended;
        };
      },
      close: () => client.close(),
    };
  },
};

function newJob(n: number): NewFloorJob {
  return { status: 'queued', due: new Date(), input: { n } };
}

/** Runs a batch, and returns the number of its jobs. */
async function runBatch(jobs: Collection<NewFloorJob>, { concurrency, run }: Workplace): Promise<number> {
  const due = { status: 'queued' as const, due: { $lte: new Date() } };
  const batch = await jobs.find(due, { sort: { due: 1 }, limit: concurrency, singleBatch: true }).toArray();
  if (batch.length === 0) return 0;
  const token = randomUUID();
  const ids = batch.map(({ _id }) => _id);
  await jobs.updateMany({ _id: { $in: ids }, status: 'queued' }, { $set: { status: 'processing', token } });
  await Promise.all(batch.map(({ input }) => run(input.n)));
  await jobs.bulkWrite(
    ids.map((_id) => ({
      updateOne: { filter: { _id, token }, update: { $set: { status: 'completed' } } },
    })),
    { ordered: false },
  );
  return batch.length;
}
