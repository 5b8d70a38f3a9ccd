/** `npm start`, as a person would use it: what it prints, the lines to copy, Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { eventually } from '../eventually.js';
import { program } from '../programs.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
});

/** Starts it compiled, for speed, and collects what it prints. */
async function start(env: NodeJS.ProcessEnv, ...args: string[]) {
  const { MONGODB_URI: _, ...inherited } = process.env;
  child = spawn(process.execPath, [await program('local/main.ts'), ...args], {
    cwd: root,
    env: { ...inherited, PORT: '0', ...env },
  });
  const exit = once(child, 'exit');
  const printed = { text: '' };
  child.stdout?.on('data', (chunk) => {
    printed.text += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    printed.text += chunk;
  });
  return { child, printed, exitCode: async () => (await exit)[0] };
}

const match = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';

test('it shows jobs being done, takes one over HTTP by the lines it prints, and stops at Ctrl-C', async () => {
  const { child, printed, exitCode } = await start({});
  await eventually(() => expect(printed.text).toContain('From now on the scheduler makes'));
  expect(printed.text).toMatch(/'echo' *│ 'completed' *│ 1/);
  expect(printed.text).toMatch(/'demo.unsteady' *│ 'completed' *│ 2/);
  expect(printed.text).toMatch(/'demo.hopeless' *│ 'error' *│ 1/);
  expect(printed.text).toContain('keeps nothing');

  const url = match(printed.text, /curl -s (http\S+\/v1\/jobs) /);
  const key = match(printed.text, /Authorization: Bearer ([\w-]+)'/);
  const body = match(printed.text, /-d '(.*)'/);
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const added = await fetch(url, { method: 'POST', headers, body });
  expect(added.status).toBe(202);
  await eventually(async () => {
    const job = await fetch(new URL(added.headers.get('location') ?? '', url), { headers });
    expect(await job.json()).toMatchObject({ status: 'completed', output: { hello: 'me' } });
  });

  child.kill('SIGINT');
  expect(await exitCode()).toBe(0);
  expect(printed.text).toContain('Stopped: no job of this process is left in processing');
});

test('with jobs and a key of its own, the lines to copy name one of those jobs, and take the key from the shell', async () => {
  const key = 'given-by-who-starts-it';
  const options = ['--jobs', await program('test/local/cli/jobs-module.ts'), '--no-demo'];
  const { child, printed, exitCode } = await start({ API_KEY: key, METRICS_PORT: '0' }, ...options);
  await eventually(() => expect(printed.text).toContain('Ctrl-C stops it.'));

  const name = match(printed.text, /-d '{ "name": "([^"]*)"/);
  const { jobs } = await import('../local/cli/jobs-module.js');
  expect(jobs.map((job) => job.name)).toContain(name);
  expect(printed.text).toContain(`/v1/job-factories/${name}`);

  const url = match(printed.text, /curl -s (http\S+\/v1\/jobs) /);
  const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
  expect(printed.text).toContain('-H "Authorization: Bearer $API_KEY"');

  const metrics = await fetch(`${match(printed.text, /GET \/metrics.*(http:\/\/[\d.:]+)/)}/metrics`);
  expect(await metrics.text()).toContain('remote_processor_database_up 1\n');

  child.kill('SIGINT');
  expect(await exitCode()).toBe(0);
  expect(printed.text).not.toContain(key);
});

test('--help tells how to use it', async () => {
  const { printed, exitCode } = await start({}, '--help');
  expect(await exitCode()).toBe(0);
  expect(printed.text).toContain('Usage: remote-processor start');
});

test('everything that is wrong with its settings is told at once, without the key', async () => {
  const { printed, exitCode } = await start({
    PORT: 'http',
    MAX_THREADS: 'many',
    API_KEY: 'short-secret',
    LOG_LEVEL: 'loud',
  });
  expect(await exitCode()).toBe(2);
  for (const name of ['PORT', 'MAX_THREADS', 'API_KEY', 'LOG_LEVEL']) expect(printed.text).toContain(name);
  expect(printed.text).not.toContain('short-secret');
});

test('a port that is in use is told, and what to do', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = z.object({ port: z.int() }).parse(holder.address());
  const { printed, exitCode } = await start({ PORT: `${port}` });
  expect(await exitCode()).toBe(1);
  expect(printed.text).toContain(`Cannot listen on 127.0.0.1:${port}. Is it in use?`);
  await once(holder.close(), 'close');
});
