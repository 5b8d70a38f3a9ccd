import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { MongoClient } from 'mongodb';
import type { Address } from './tcp-proxy.js';

export interface Server {
  readonly uri: string;
  /** The address of the primary, to which the proxies connect. */
  readonly address: Address;
}

/**
 * Calls `work` with the server of MONGODB_URI, or with an embedded one in its own process.
 *
 * @param program the program of the embedded server
 */
export async function withServer<Result>(
  program: string,
  work: (server: Server) => Promise<Result>,
): Promise<Result> {
  const given = process.env.MONGODB_URI;
  return given
    ? work(await addressed(given))
    : withEmbedded(program, async (uri) => work(await addressed(uri)));
}

async function withEmbedded<Result>(
  program: string,
  work: (uri: string) => Promise<Result>,
): Promise<Result> {
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    for await (const line of createInterface(child.stdout)) return await work(line);
    throw new Error('The embedded MongoDB ended before it told its address.');
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

async function addressed(uri: string): Promise<Server> {
  const client = await new MongoClient(uri).connect();
  try {
    const { primary } = await client.db('admin').command({ hello: 1 });
    const { hostname, port } = new URL(`tcp://${primary}`);
    return { uri, address: { host: hostname, port: Number(port) } };
  } finally {
    await client.close();
  }
}
