/**
 * A process of a test: `child.ts ROLE URI DATABASE LEASE`. Appends a line to the collection `ledger` per run of a job that is
 * not quick. Prints "ready" once it is connected, and works until it is told to stop.
 */
import { MongoClient } from 'mongodb';
import { z } from 'zod';
import { LocalProcessor } from '../../local/processor.js';
import { defineJob } from '../../src/index.js';
import { silent } from '../chaos/silent.js';

const [role = '', uri = '', databaseName = '', lease = ''] = process.argv.slice(2);
const client = await new MongoClient(uri).connect();
const db = client.db(databaseName);
const processor = new LocalProcessor({
  db,
  log: silent,
  maxThreads: 5,
  lease,
  pollInterval: 100,
  scheduleInterval: 100,
});

const noted = defineJob({
  name: 'noted',
  input: z.object({ n: z.int(), fate: z.enum(['hang once', 'kill', 'quick']).optional() }),
  retryDelay: 0,
  run: async ({ jobId, attempt, token, input }) => {
    if (input.fate === 'quick') return input.n;
    await db.collection('ledger').insertOne({ jobId, attempt, token, pid: process.pid });
    const isFirst = async () => (await db.collection('ledger').countDocuments({ jobId })) === 1;
    if (input.fate === 'hang once' && (await isFirst())) await new Promise(() => setInterval(() => {}, 1000));
    if (input.fate === 'kill') process.kill(process.pid, 'SIGKILL');
    return input.n;
  },
});

/** Runs its jobs ten at a time. */
const together = defineJob({
  name: 'together',
  input: z.object({ fate: z.literal('kill').optional() }),
  retryDelay: 0,
  batch: { size: 10 },
  runBatch: ({ jobs }) => {
    if (jobs.some(({ input }) => input.fate === 'kill')) process.kill(process.pid, 'SIGKILL');
  },
});

const roles: Record<string, () => Promise<void>> = {
  /** Has the jobs' code, and only runs jobs. */
  async worker() {
    await processor.addJobFactories([noted, together]);
    processor.startProcessor();
  },
  /** Does not have the jobs' code, and only schedules and adds. */
  async producer() {
    await processor.addScheduler({
      type: 'Delay',
      jobName: 'noted',
      delay: '1s',
      input: { n: 0 },
      active: true,
      id: 'tick',
    });
    await processor.addJob('noted', { n: 1 }, { id: 'added' });
    processor.startScheduler();
  },
};

await roles[role]?.();
console.log('ready');
process.once('SIGTERM', async () => {
  await Promise.all([processor.stopProcessor(), processor.stopScheduler()]);
  await client.close();
  process.exit(); // A job that heeds no signal would keep the process alive.
});
