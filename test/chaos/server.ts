import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import type { Address } from './tcp-proxy.js';

export interface Server {
  readonly uri: string;
  /** Of the primary: where the proxies lead to. */
  readonly address: Address;
}

/** Calls `work` with the server of MONGODB_URI, else with an embedded one in a process of its own. */
export async function withServer<Result>(work: (server: Server) => Promise<Result>): Promise<Result> {
  const given = process.env.MONGODB_URI;
  return given ? work(await addressed(given)) : withEmbedded(async (uri) => work(await addressed(uri)));
}

async function withEmbedded<Result>(work: (uri: string) => Promise<Result>): Promise<Result> {
  const script = fileURLToPath(new URL('../../local/mongo/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
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
