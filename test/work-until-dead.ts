import { type Document, MongoClient } from 'mongodb';
import { type JobFactory, RemoteProcessor } from '../src/index.js';
import { type Passage, TcpProxy } from './chaos/tcp-proxy.js';
import { silent, type useDatabase } from './database.js';

/** When a process dies. */
export interface Death {
  /** How many commands it survives. */
  readonly survives: number;
  /** What becomes of the next one: it is not delivered, or it is and its answer is lost. No later command arrives. */
  readonly fate: Passage;
  /** Whether a command is counted. Default: each. */
  readonly counts?: (command: Document) => boolean;
}

/** The work of dead processes, which do not know that they are dead, and give up after their lease. */
const underWay: Promise<unknown>[] = [];

/** Resolves once no dead process is at work any more. Await it after the tests of a file. */
export async function afterDeaths(): Promise<void> {
  await Promise.allSettled(underWay.splice(0));
}

/**
 * Lets a processor with a connection of its own do work, until it dies at a command.
 *
 * @param jobsWith returns the kinds of jobs, given the connection. They are registered before commands are counted
 * @param work ends early once `dead` fires
 * @returns true if it died, false if the work was done first
 */
export async function workUntilDead(
  database: ReturnType<typeof useDatabase>,
  { survives, fate, counts = () => true }: Death,
  jobsWith: (client: MongoClient) => readonly JobFactory[],
  work: (processor: RemoteProcessor, dead: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  const { hostname, port } = new URL(database.uri);
  const proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
  const client = new MongoClient(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`);
  const processor = new RemoteProcessor({ db: client.db(database.name), log: silent, lease: '2s' });
  await processor.addJobFactories(jobsWith(client));
  const dead = new AbortController();
  const sessions: Document[] = [];
  let counted = 0;
  const died = new Promise<true>((resolve) => {
    proxy.judgeBy((command: Document) => {
      if ('hello' in command || 'ismaster' in command || 'endSessions' in command) return 'deliver';
      if (dead.signal.aborted) return 'cut';
      if (command.startTransaction) sessions.push(command.lsid);
      if (!counts(command) || counted++ < survives) return 'deliver';
      dead.abort();
      resolve(true);
      return fate;
    });
  });
  const working = work(processor, dead.signal).then(
    () => dead.signal.aborted,
    () => true,
  );
  underWay.push(working);
  try {
    return await Promise.race([died, working]);
  } finally {
    // Ends the open transaction, as the server would after a minute. Without ids it would end everybody's.
    if (sessions.length > 0) await database.client.db('admin').command({ killSessions: sessions });
    underWay.push(client.close());
    await proxy.close();
  }
}
