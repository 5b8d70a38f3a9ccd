/** Processes that are told to stop while their database does not answer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { TcpProxy } from '../chaos/tcp-proxy.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { jobs } from '../local/cli/jobs-module.js';
import { program } from '../programs.js';

const database = useDatabase();
const root = fileURLToPath(new URL('../..', import.meta.url));
const children: ChildProcess[] = [];
let proxy: TcpProxy | undefined;

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await proxy?.close();
});

async function run(uri: string, ...args: readonly string[]) {
  const jobsModule = ['--jobs', await program('test/local/cli/jobs-module.ts')];
  const child = spawn(process.execPath, [await program('local/cli/main.ts'), ...args, ...jobsModule], {
    cwd: root,
    env: { ...process.env, MONGODB_URI: uri, MONGODB_DATABASE: database.name, PORT: '0', LOG_LEVEL: 'debug' },
  });
  children.push(child);
  const printed = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      printed.text += chunk;
    });
  }
  return { child, printed, exit: once(child, 'exit') };
}

/** A process that does not end within this is killed by whoever runs it; and it may be a busy machine. */
const PATIENCE_MS = 10_000 + 10_000;

test('start, work and schedule end in time after SIGTERM though the database does not answer, and a job runs', async () => {
  const { hostname, port } = new URL(database.uri);
  proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
  const uri = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
  const processor = database.processor();
  await processor.addJobFactories(jobs);
  const id = await processor.addJob('patient');
  const processes = await Promise.all([
    run(uri, 'work'),
    run(uri, 'schedule'),
    run(uri, 'start', '--no-demo'),
  ]);
  await eventually(async () => {
    expect(await processor.getJobStatus(id)).toBe('processing');
    for (const { printed } of processes) expect(printed.text).toMatch(/Processor '\S+' started/);
  }, 60_000);

  proxy.judgeBy(() => 'silence');
  const told = performance.now();
  for (const { child } of processes) child.kill('SIGTERM');
  await Promise.all(processes.map(({ exit }) => exit));
  expect(performance.now() - told).toBeLessThan(PATIENCE_MS);
}, 120_000);
