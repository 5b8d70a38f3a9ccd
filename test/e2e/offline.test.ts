import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { useDatabase } from '../database.js';

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
/** Of its own, so as not to disturb one that somebody works with. */
const workFolder = `.esbuild/e2e-${process.pid}`;
const { uri, name: database } = useDatabase();
const jobSchema = z.object({ id: z.string(), status: z.string(), output: z.unknown() });

let offline: ChildProcess;
let output = '';
let port: number;
let lambdaPort: number;

beforeAll(async () => {
  [port, lambdaPort] = [await freePort(), await freePort()];
  const args = [
    '--import',
    'tsx',
    'local/offline.ts',
    '--param',
    'schedules=false',
    '--param',
    `workFolder=${workFolder}`,
  ];
  const env = {
    ...process.env,
    MONGODB_URI: uri,
    MONGODB_DATABASE: database,
    PORT: `${port}`,
    LAMBDA_PORT: `${lambdaPort}`,
    API_KEYS: '',
    WEBHOOK_SECRET: '',
  };
  offline = spawn(process.execPath, args, { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [offline.stdout, offline.stderr]) stream?.on('data', (chunk) => (output += chunk));
  await until('serverless-offline is ready', async () => output.includes('Server ready'));
}, 180_000);
afterAll(async () => {
  offline?.kill('SIGKILL');
  await rm(join(projectRoot, workFolder), { recursive: true, force: true });
});

/** No schedule is enabled: nothing but the kick, through the AWS SDK, can have started the worker. */
test('a job that is added over HTTP is run by the worker that the kick starts, in a subprocess too', async () => {
  expect(output).toMatch(/Scheduling \[worker\] cron: disabled/);
  const echoed = await add('echo', { hello: 'world' });
  const summed = await add('checksum', { data: Buffer.from('hello').toString('base64'), rounds: 1000 });
  expect((await completed(echoed)).output).toEqual({ hello: 'world' });
  expect((await completed(summed)).output).toMatchObject({ bytes: 5, rounds: 1000 });
}, 90_000);

test('a signal stops it, and nothing stays alive', async () => {
  const exited = once(offline, 'exit');
  offline.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  await expect(connectTo(port)).rejects.toThrow('ECONNREFUSED');
  await expect(connectTo(lambdaPort)).rejects.toThrow('ECONNREFUSED');
}, 60_000);

async function add(name: string, input: unknown): Promise<string> {
  const response = await request('/v1/jobs', { method: 'POST', body: JSON.stringify({ name, input }) });
  expect(response.status).toBe(202);
  return z.object({ id: z.string() }).parse(await response.json()).id;
}

async function completed(id: string): Promise<z.output<typeof jobSchema>> {
  return until(`job ${id} is completed`, async () => {
    const job = jobSchema.parse(await (await request(`/v1/jobs/${id}`)).json());
    return job.status === 'completed' && job;
  });
}

function request(path: string, init: RequestInit = {}): Promise<Response> {
  const key = /API key (\S+)/.exec(output)?.[1];
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
}

/** Asks again and again, until the answer is neither false nor undefined. Tells what it waited for if it never is. */
async function until<Value>(what: string, ask: () => Promise<Value | false | undefined>): Promise<Value> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer;
    if (offline.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Waited in vain until ${what}. It said:\n${output}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port is free.');
  return address.port;
}

async function connectTo(target: number): Promise<void> {
  const socket = connect(target, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
