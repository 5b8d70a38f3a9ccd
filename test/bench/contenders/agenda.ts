import { MongoClient } from 'mongodb';
import { z } from 'zod';
import { addOneByOne, type Contender, POLL_MS, type Workplace } from './contender.js';
import { loadPeer } from './load-peer.js';

/** What is used of Agenda. Its own types are there only once the benchmark has installed it. */
interface AgendaQueue {
  readonly ready: Promise<void>;
  define(
    name: string,
    run: (job: AgendaJob) => Promise<void>,
    options: { readonly concurrency: number },
  ): void;
  now(name: string, data: { readonly n: number }): Promise<unknown>;
  start(): Promise<void>;
  drain(timeoutMs: number): Promise<unknown>;
}

interface AgendaJob {
  readonly attrs: { readonly data: { readonly n: number } };
}

type Constructor<Options, Instance> = new (options: Options) => Instance;
type Db = ReturnType<MongoClient['db']>;

const agendaModule = z.object({
  Agenda: z.custom<Constructor<Record<string, unknown>, AgendaQueue>>(isFunction),
  InMemoryNotificationChannel: z.custom<Constructor<undefined, object>>(isFunction),
});

const backendModule = z.object({
  MongoBackend: z.custom<Constructor<{ mongo: Db; ensureIndex: boolean }, object>>(isFunction),
  MongoChangeStreamNotificationChannel: z.custom<Constructor<{ db: Db }, object>>(isFunction),
});

/** Running jobs end within this time when a worker stops: they do nothing. */
const STOP_MS = 2000;

/** Agenda 6 on its MongoDB backend. */
export const agenda: Contender = {
  title: 'Agenda 6',
  storage: { collection: 'agendaJobs', input: 'data', due: 'nextRunAt' },
  async open(workplace) {
    const { uri, database, concurrency, run } = workplace;
    const { Agenda, ...channels } = agendaModule.parse(await loadPeer('agenda'));
    const { MongoBackend, ...moreChannels } = backendModule.parse(await loadPeer('@agendajs/mongo-backend'));
    const client = await new MongoClient(uri, { monitorCommands: true }).connect();
    const db = client.db(database);
    const open = (ensureIndex: boolean) =>
      new Agenda({
        backend: new MongoBackend({ mongo: db, ensureIndex }),
        processEvery: POLL_MS,
        maxConcurrency: concurrency,
        ...notificationChannel(workplace, db, { ...channels, ...moreChannels }),
      });
    const queue = open(false);
    queue.define('noop', ({ attrs }) => run(attrs.data.n), { concurrency });
    await queue.ready;
    const addOne = async (n: number) => {
      await queue.now('noop', { n });
    };
    return {
      client,
      ensureIndexes: () => open(true).ready,
      addOne,
      addMany: (first, count) => addOneByOne({ addOne }, first, count),
      async work() {
        await queue.start();
        return async () => {
          await queue.drain(STOP_MS);
        };
      },
      close: () => client.close(),
    };
  },
};

interface Channels {
  readonly InMemoryNotificationChannel: Constructor<undefined, object>;
  readonly MongoChangeStreamNotificationChannel: Constructor<{ db: Db }, object>;
}

/** Without one, it looks for jobs when `processEvery` is over. */
function notificationChannel({ wakeUp }: Workplace, db: Db, channels: Channels): Record<string, unknown> {
  switch (wakeUp) {
    case 'polling':
      return {};
    case 'own':
      return { notificationChannel: new channels.InMemoryNotificationChannel(undefined) };
    case 'change stream':
      return { notificationChannel: new channels.MongoChangeStreamNotificationChannel({ db }) };
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
