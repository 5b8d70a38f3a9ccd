import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PrivateServer {
  readonly command: string;
  /** The text that it writes when it takes connections. */
  readonly readyText: string;
  /** Fills the server's folder, and returns how to start the server there. */
  prepare(folder: string): Promise<{ readonly args: readonly string[]; readonly options?: SpawnOptions }>;
}

/**
 * Calls `work` while the server runs in a temporary folder. Server and folder end with this process, however it ends.
 */
export async function withPrivateServer<Result>(
  { command, readyText, prepare }: PrivateServer,
  work: () => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-server-'));
  let child: ChildProcess | undefined;
  const abandon = () => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', abandon);
  try {
    const { args, options } = await prepare(folder);
    child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    await Promise.race([ready(child, readyText), ended(child, command)]);
    return await work();
  } finally {
    if (child) await stop(child);
    process.off('exit', abandon);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns a port of the loopback interface that was free just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits for the text. Reads all output, because a full pipe would stop the process. */
function ready({ stdout, stderr }: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve) => {
    let output = '';
    for (const stream of [stdout, stderr])
      stream?.on('data', (bytes: Buffer) => {
        output = (output + bytes).slice(-4096);
        if (output.includes(text)) resolve();
      });
  });
}

async function ended(child: ChildProcess, command: string): Promise<never> {
  const [code, signal] = await once(child, 'exit');
  throw new Error(`${command} ended with ${code ?? signal}.`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // PostgreSQL ends quickly at SIGINT. Redis treats it as SIGTERM.
  child.kill('SIGINT');
  await exited;
}
