import { MongoClient } from 'mongodb';
import { z } from 'zod';
import { addOneByOne, type Contender, POLL_MS, type Queue, type Workplace } from './contender.js';
import { loadPeer } from './load-peer.js';

/** The part of Agenda that is used. Its own types exist only once the benchmark has installed it. */
interface AgendaQueue {
  readonly ready: Promise<void>;
  define(
    name: string,
    run: (job: AgendaJob) => Promise<unknown>,
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
  InMemoryNotificationChannel: z.custom<new () => object>(isFunction),
});

const backendModule = z.object({
  MongoBackend: z.custom<Constructor<{ mongo: Db; ensureIndex: boolean }, object>>(isFunction),
  MongoChangeStreamNotificationChannel: z.custom<Constructor<{ db: Db }, object>>(isFunction),
});

/** The time that running jobs have to end when a worker stops. */
const STOP_MS = 2000;

const LOCK_LIMIT = 40;
const PROCESS_EVERY_MS = 50;

/**
 * Agenda 6 on its MongoDB backend, with the fastest settings of those tried. It removes finished jobs, because each
 * claim would scan all that are kept. It locks few jobs ahead, because each claim scans those too. It polls often,
 * because it locks more jobs only when it polls.
 */
export const agenda: Contender = agendaWith('Agenda 6', ({ concurrency, wakeUp }) => ({
  removeOnComplete: true,
  defaultLockLimit: Math.max(LOCK_LIMIT, concurrency),
  processEvery: wakeUp === 'none' ? PROCESS_EVERY_MS : POLL_MS,
}));

/** Agenda with its defaults. It keeps finished jobs, and locks all due jobs before it runs the first. */
export const agendaAsItComes: Contender = agendaWith('Agenda 6 as it comes', () => ({}));

type Settings = Readonly<Record<string, unknown>>;

function agendaWith(title: string, settings: (workplace: Workplace) => Settings): Contender {
  return {
    title,
    storage: { collection: 'agendaJobs', input: 'data', due: 'nextRunAt' },
    open: (workplace) => openQueue(workplace, settings(workplace)),
  };
}

async function openQueue(workplace: Workplace, settings: Settings): Promise<Queue> {
  const { uri, database, concurrency, run } = workplace;
  const { Agenda, InMemoryNotificationChannel } = agendaModule.parse(await loadPeer('agenda'));
  const backend = backendModule.parse(await loadPeer('@agendajs/mongo-backend'));
  const client = await new MongoClient(uri, { monitorCommands: true }).connect();
  const db = client.db(database);
  const open = (ensureIndex: boolean) =>
    new Agenda({
      ...settings,
      backend: new backend.MongoBackend({ mongo: db, ensureIndex }),
      maxConcurrency: concurrency,
      ...(workplace.wakeUp === 'own' && { notificationChannel: new InMemoryNotificationChannel() }),
      ...(workplace.wakeUp === 'change stream' && {
        notificationChannel: new backend.MongoChangeStreamNotificationChannel({ db }),
      }),
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
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
