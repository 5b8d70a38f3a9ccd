import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { MongoClient, MongoServerError } from 'mongodb';
import { z } from 'zod';

/** The database that all contenders work with. */
export interface Server {
  readonly uri: string;
  readonly kind: 'embedded' | 'mongodb';
  readonly version: string;
  readonly client: MongoClient;
  readonly hasChangeStreams: boolean;
  /** Returns what the process of the embedded server has used so far. Undefined for any other server. */
  usage(): Promise<ServerUsage | undefined>;
}

export interface ServerUsage {
  readonly cpuMs: number;
  /** The memory used now. */
  readonly memoryBytes: number;
}

const startedSchema = z.object({ kind: z.literal('started'), uri: z.string() });
const usageSchema = z.object({ kind: z.literal('usage'), cpuMs: z.number(), memoryBytes: z.number() });

export type ServerReport = z.output<typeof startedSchema> | z.output<typeof usageSchema>;

/** Calls `work` with the server of MONGODB_URI, or with an embedded one in its own process. */
export async function withServer<Result>(
  program: string,
  work: (server: Server) => Promise<Result>,
): Promise<Result> {
  const given = process.env.MONGODB_URI;
  if (given) return withClient(given, 'mongodb', async () => undefined, work);
  const child = fork(program, { execArgv: [], stdio: ['ignore', 2, 2, 'ipc'] });
  try {
    const { uri } = startedSchema.parse(await nextMessage(child));
    return await withClient(uri, 'embedded', () => askUsage(child), work);
  } finally {
    child.kill('SIGKILL');
  }
}

async function withClient<Result>(
  uri: string,
  kind: Server['kind'],
  usage: Server['usage'],
  work: (server: Server) => Promise<Result>,
): Promise<Result> {
  const client = await new MongoClient(uri).connect();
  try {
    const { version } = z
      .object({ version: z.string() })
      .parse(await client.db('admin').command({ buildInfo: 1 }));
    return await work({
      uri,
      kind,
      version,
      client,
      usage,
      hasChangeStreams: await hasChangeStreams(client),
    });
  } finally {
    await client.close();
  }
}

async function hasChangeStreams(client: MongoClient): Promise<boolean> {
  const stream = client.db('admin').watch([], { maxAwaitTimeMS: 1 });
  try {
    await stream.tryNext();
    return true;
  } catch (error) {
    if (error instanceof MongoServerError) return false;
    throw error;
  } finally {
    await stream.close();
  }
}

async function askUsage(child: ChildProcess): Promise<ServerUsage> {
  child.send('usage');
  return usageSchema.parse(await nextMessage(child));
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const answered = new AbortController();
  const { signal } = answered;
  try {
    const exited = once(child, 'exit', { signal }).then(ended);
    const [message] = await Promise.race([once(child, 'message', { signal }), exited]);
    return message;
  } finally {
    answered.abort();
  }
}

function ended(): never {
  throw new Error('The process of the embedded MongoDB ended.');
}
