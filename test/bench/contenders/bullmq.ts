import { z } from 'zod';
import type { Participant } from './contender.js';
import { loadPeer } from './load-peer.js';

/** The part of BullMQ that is used. Its own types exist only once the benchmark has installed it. */
interface BullQueue {
  waitUntilReady(): Promise<unknown>;
  setGlobalConcurrency(concurrency: number): Promise<unknown>;
  add(name: string, data: Data): Promise<unknown>;
  addBulk(jobs: readonly { readonly name: string; readonly data: Data }[]): Promise<unknown>;
  close(): Promise<void>;
}

interface BullWorker {
  close(): Promise<void>;
}

interface Data {
  readonly n: number;
}

interface QueueOptions {
  readonly connection: { readonly url: string };
  readonly prefix: string;
}

type Run = (job: { readonly data: Data }) => Promise<unknown>;

const bullmqModule = z.object({
  Queue: z.custom<new (name: string, options: QueueOptions) => BullQueue>(isFunction),
  Worker:
    z.custom<
      new (
        name: string,
        run: Run,
        options: QueueOptions & { readonly concurrency: number },
      ) => BullWorker
    >(isFunction),
});

const NAME = 'bench';

/** BullMQ with its defaults, on Redis. It limits all jobs of a queue together, and has no limits by key. The `database` is used as a prefix of its keys. */
export const bullmq: Participant = {
  title: 'BullMQ',
  async open({ uri: url, database: prefix, concurrency, run, limit }) {
    const { Queue, Worker } = bullmqModule.parse(await loadPeer('bullmq'));
    const options = { connection: { url }, prefix };
    const queue = new Queue(NAME, options);
    await queue.waitUntilReady();
    if (limit) await queue.setGlobalConcurrency(limit.places);
    return {
      async ensureIndexes() {},
      async addOne(n) {
        await queue.add('noop', { n });
      },
      async addMany(first, count) {
        await queue.addBulk(
          Array.from({ length: count }, (_, index) => ({ name: 'noop', data: { n: first + index } })),
        );
      },
      async work() {
        const worker = new Worker(NAME, ({ data }) => run(data.n), { ...options, concurrency });
        return () => worker.close();
      },
      close: () => queue.close(),
    };
  },
};

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
