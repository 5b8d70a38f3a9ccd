import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import { RemoteProcessor } from '../../src/index.js';
import { silent } from '../chaos/silent.js';
import { collectionNames } from '../collection-names.js';
import { type Backlog, waitingJob } from './backlogs.js';
import { type Examined, explain } from './explain.js';

/** The number of jobs claimed at a time. */
export const CLAIMED = 20;

/** The cost of a claim: of finding jobs, and of taking those that it found. */
export interface ClaimExamined {
  readonly find: Examined;
  readonly take: Examined;
}

/** Makes a worker run jobs of a backlog, and explains the commands of its first claim. */
export async function examineClaim(
  uri: string,
  database: string,
  { queues }: Backlog,
): Promise<ClaimExamined> {
  const client = await new MongoClient(uri, { monitorCommands: true }).connect();
  const commands: Document[] = [];
  client.on('commandStarted', ({ command }: CommandStartedEvent) => commands.push(command));
  try {
    const processor = new RemoteProcessor({
      db: client.db(database),
      maxThreads: CLAIMED,
      log: silent,
      ...(queues && { queues }),
    });
    const enough = new AbortController();
    await processor.addJobFactory(waitingJob(() => enough.abort()));
    await processor.drain({ signal: enough.signal });
    const find = commands.find(
      (command) => command.find === collectionNames.jobs && command.limit === CLAIMED,
    );
    const take = commands.find(
      (command) => command.update === collectionNames.jobs && command.updates[0].multi,
    );
    if (!find || !take) throw new Error('The worker claimed nothing.');
    return { find: await explain(client, find), take: await explain(client, take) };
  } finally {
    await client.close();
  }
}
