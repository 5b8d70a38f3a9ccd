import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestDatabase } from '../database.js';

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

export interface OfflineOptions {
  /** Parameters of serverless.yml in addition to those that every such run needs. */
  readonly params?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** The functions under serverless-offline, as `npm run offline` starts them. No schedule is enabled. */
export class Offline {
  /** Everything that the functions have printed. */
  output = '';
  readonly process: ChildProcess;

  private constructor(
    readonly port: number,
    readonly lambdaPort: number,
    { uri, name }: TestDatabase,
    private readonly workFolder: string,
    { params = {}, env = {} }: OfflineOptions,
  ) {
    const args = Object.entries({ schedules: 'false', workFolder, ...params }).flatMap(([param, value]) => [
      '--param',
      `${param}=${value}`,
    ]);
    this.process = spawn(process.execPath, ['--import', 'tsx', 'local/offline.ts', ...args], {
      cwd: projectRoot,
      env: {
        ...process.env,
        MONGODB_URI: uri,
        MONGODB_DATABASE: name,
        PORT: `${port}`,
        LAMBDA_PORT: `${lambdaPort}`,
        API_KEYS: '',
        WEBHOOK_SECRET: '',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // A process group of its own can be killed as a whole.
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (chunk) => {
        this.output += chunk;
      });
  }

  /** Starts the functions, and resolves when they are ready for requests. */
  static async start(database: TestDatabase, options: OfflineOptions = {}): Promise<Offline> {
    // A separate folder does not disturb a run that a developer has started.
    const [port, lambdaPort] = [await freePort(), await freePort()];
    const offline = new Offline(port, lambdaPort, database, `.esbuild/e2e-${process.pid}-${port}`, options);
    await offline.until('serverless-offline is ready', async () => offline.output.includes('Server ready'));
    return offline;
  }

  /** Kills the process, whether it still runs or not. */
  async kill(): Promise<void> {
    try {
      if (this.process.pid !== undefined) process.kill(-this.process.pid, 'SIGKILL');
    } catch {} // The process has ended.
    await rm(join(projectRoot, this.workFolder), { recursive: true, force: true });
  }

  /** Sends a request to the HTTP API, with the key that the program printed. */
  request(path: string, init: RequestInit = {}): Promise<Response> {
    const key = /API key (\S+)/.exec(this.output)?.[1];
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    return fetch(`http://127.0.0.1:${this.port}${path}`, { ...init, headers });
  }

  /** Asks again and again until the answer is neither false nor undefined. Throws an error that names what it waited for. */
  async until<Value>(what: string, ask: () => Promise<Value | false | undefined>): Promise<Value> {
    const deadline = performance.now() + 100_000;
    let slowestMs = 0;
    while (performance.now() < deadline) {
      const asked = performance.now();
      const answer = await ask();
      slowestMs = Math.max(slowestMs, Math.round(performance.now() - asked));
      if (answer !== false && answer !== undefined) return answer;
      if (this.process.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const end = this.process.exitCode ?? this.process.signalCode ?? 'it runs';
    // High figures mean that the machine is slow, which breaks nothing but time limits.
    const machine = `slowest look ${slowestMs} ms, load ${loadavg()[0]} on ${availableParallelism()} CPUs`;
    throw new Error(`Waited in vain until ${what} (ended: ${end}; ${machine}). It said:\n${this.output}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port is free.');
  return address.port;
}
