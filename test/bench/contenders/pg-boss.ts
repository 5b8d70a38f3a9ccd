import { z } from 'zod';
import { keyOf } from '../bench-limit.js';
import type { Participant } from './contender.js';
import { loadPeer } from './load-peer.js';

/** The part of pg-boss that is used. Its own types exist only once the benchmark has installed it. */
interface Boss {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  start(): Promise<unknown>;
  createQueue(name: string): Promise<unknown>;
  insert(name: string, jobs: readonly JobInsert[]): Promise<unknown>;
  work(name: string, options: WorkOptions, run: Run): Promise<unknown>;
  stop(options: { readonly graceful: boolean; readonly close: boolean }): Promise<void>;
}

interface Data {
  readonly n: number;
}

interface JobInsert {
  readonly data: Data;
  readonly group?: { readonly id: string };
}

interface WorkOptions {
  readonly batchSize: number;
  readonly pollingIntervalSeconds: number;
  readonly burstWhenBatchFull: boolean;
  readonly groupConcurrency?: number;
}

type Run = (jobs: readonly { readonly data: Data }[]) => Promise<unknown>;

interface BossOptions {
  readonly connectionString: string;
  readonly schema: string;
}

const bossModule = z.object({
  PgBoss: z.custom<new (options: BossOptions) => Boss>((value) => typeof value === 'function'),
});

const NAME = 'bench';

/** The shortest interval that it allows. */
const POLL_SECONDS = 0.5;

/**
 * pg-boss on PostgreSQL. A worker fetches jobs by the batch, and the next one at once if a batch was full, so a batch is no
 * larger than may run at a time. It limits groups of jobs. The `database` is used as a schema.
 */
export const pgBoss: Participant = {
  title: 'pg-boss',
  async open({ uri: connectionString, database: schema, concurrency, run, limit }) {
    const { PgBoss } = bossModule.parse(await loadPeer('pg-boss'));
    const boss = new PgBoss({ connectionString, schema });
    boss.on('error', () => {});
    await boss.start();
    await boss.createQueue(NAME);
    const addMany = async (first: number, count: number) => {
      const jobs = Array.from({ length: count }, (_, index) => ({
        data: { n: first + index },
        ...(limit && { group: { id: keyOf(first + index, limit) } }),
      }));
      await boss.insert(NAME, jobs);
    };
    return {
      async ensureIndexes() {},
      addOne: (n) => addMany(n, 1),
      addMany,
      async work() {
        const options = {
          batchSize: limit ? Math.min(concurrency, limit.keys * limit.places) : concurrency,
          pollingIntervalSeconds: POLL_SECONDS,
          burstWhenBatchFull: true,
          ...(limit && { groupConcurrency: limit.places }),
        };
        await boss.work(NAME, options, (jobs) => Promise.all(jobs.map(({ data }) => run(data.n))));
        return () => boss.stop({ graceful: true, close: false });
      },
      close: () => boss.stop({ graceful: false, close: true }),
    };
  },
};
