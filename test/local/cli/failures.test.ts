import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { defineJob } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { echo } from '../../jobs.js';
import { keyOf, useCommandLine } from './command-line.js';

const database = useDatabase();
const commandLine = useCommandLine(database);
const { run, runProcess } = commandLine;

/** As a client of a deployment. */
const remote = (key: string | undefined, url = commandLine.url()) => ({
  env: { REMOTE_PROCESSOR_URL: url, REMOTE_PROCESSOR_API_KEY: key },
});

test('on a database and over the network it does the same', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  processor.startProcessor();
  const add = ['add', 'echo', '{ "far": "away" }', '--wait'];

  const near = await runProcess(add, { on: 'database' });
  const far = await runProcess(add, remote(keyOf('write'), `${commandLine.url()}/`));

  expect(near).toMatchObject({ code: 0, out: '{\n  "far": "away"\n}\n' });
  expect(far).toMatchObject({ code: 0, out: near.out });
  const stored = await processor.jobs.list({ status: 'completed' });
  expect(stored.jobs).toHaveLength(2);
});

test('over the network a key adds the jobs that its role may, and on a database any', async () => {
  await database
    .processor()
    .addJobFactory(defineJob({ name: 'wipe', addRole: 'admin', run: async () => null }));
  const add = ['add', 'wipe'];

  const refused = await run(add, remote(keyOf('write')));
  expect(refused).toMatchObject({ code: 4, err: expect.stringContaining("The role 'admin' is required") });
  expect(await run(add, remote(keyOf('admin')))).toMatchObject({ code: 0 });
  expect(await run(add, { on: 'database' })).toMatchObject({ code: 0 });
});

test('--url wins over REMOTE_PROCESSOR_URL', async () => {
  const args = ['workers', '--json', '--url', commandLine.url()];
  expect(await run(args, remote(keyOf('read'), 'http://127.0.0.1:1'))).toMatchObject({
    code: 0,
    out: '{"workers":[],"cursor":null}\n',
  });
});

test('0: help and version are shown', async () => {
  expect(await run(['--help'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('Usage: remote-processor'),
  });
  expect(await run(['--version'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
});

test('2: what cannot be asked is wrong usage', async () => {
  for (const line of [
    'frob',
    'list --frob',
    'list --status lost',
    'get',
    'add echo --timeout soon',
    'remove',
    '',
    'queues',
  ]) {
    const { code, out, err } = await run(line === '' ? [] : line.split(' '));
    expect({ line, code, out }).toEqual({ line, code: 2, out: '' });
    expect(err).not.toBe('');
  }
});

test('2: what is wrong is a sentence that ends once', async () => {
  const { err } = await run(['list', '--limit', 'many']);
  expect(err).toMatch(/Expected a whole number\. See --help\n$/);
});

test('2: without a database and a deployment it asks where', async () => {
  // An address that is empty is none.
  const env = { MONGODB_URI: undefined, REMOTE_PROCESSOR_URL: '' };
  const { code, err } = await run(['list'], { on: 'database', env });
  expect({ code, err }).toEqual({
    code: 2,
    err: 'error: Where? Set MONGODB_URI to work on a database, or give --url to work on a deployment\n',
  });
});

test('2: bad settings are told all at once, each on its line', async () => {
  const { code, err } = await run(['list'], {
    on: 'database',
    env: { MAX_THREADS: 'many', MONGODB_DATABASE: 'a.b' },
  });
  expect(code).toBe(2);
  expect(err).toMatch(/^error: The environment is invalid\n {2}MONGODB_DATABASE: .+\n {2}MAX_THREADS: .+\n$/);
});

test.each([
  ['no key', undefined],
  ['a wrong key', 'wrong'],
  ['a key that no header can hold', 'two words'],
  ['a key whose role does not suffice', 'key-of-read'],
])('4: %s is refused', async (_, key) => {
  expect(await run(['add', 'echo', '{}'], remote(key))).toMatchObject({ code: 4, out: '' });
});

test('4: of a key that is missing or wrong the message says where it is set', async () => {
  for (const key of [undefined, 'wrong']) {
    const { err } = await run(['workers'], remote(key));
    expect(err).toContain('REMOTE_PROCESSOR_API_KEY');
    expect(err).not.toMatch(/[^.] Is /);
  }
});

test('5: a database that does not answer is told in one line', async () => {
  const { code, err } = await runProcess(['list'], {
    on: 'database',
    env: { MONGODB_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100' },
  });
  expect(code).toBe(5);
  expect(err).toMatch(/^error: The database of MONGODB_URI cannot be reached: .+\n$/);
});

test('5: an address where nobody answers, or somebody else, is told', async () => {
  const other = createServer((_, response) =>
    response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>No</h1>'),
  );
  await once(other.listen(0, '127.0.0.1'), 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? address?.port : undefined;

  const nobody = await run(['workers'], remote(keyOf('read'), 'http://127.0.0.1:1'));
  const somebody = await run(['workers'], remote(keyOf('read'), `http://127.0.0.1:${port}`));
  other.close();

  expect(nobody).toMatchObject({
    code: 5,
    err: expect.stringMatching(/^error: http:.+ cannot be reached: .+\n$/),
  });
  expect(somebody).toMatchObject({ code: 5, err: expect.stringContaining('It answered 404') });
  expect(await run(['workers'], remote(keyOf('read'), 'ftp://example.com'))).toMatchObject({ code: 2 });
});

test('--json tells errors as JSON on standard error', async () => {
  const unknown = await run(['add', 'nothing', '--json']);
  const wrong = await run(['--json', 'list', '--frob']);

  expect(unknown).toMatchObject({ code: 2, out: '' });
  expect(JSON.parse(unknown.err)).toEqual({
    error: {
      code: 'unknown_job_name',
      message: expect.any(String),
      issues: [{ path: 'name', message: expect.any(String) }],
      exitCode: 2,
    },
  });
  expect(JSON.parse(wrong.err)).toMatchObject({ error: { code: 'wrong_usage', exitCode: 2 } });
});

test('--debug shows where it came from', async () => {
  const args = ['workers', '--url', 'http://127.0.0.1:1'];
  const { err } = await run([...args, '--debug']);
  expect(err).toMatch(/\nError: .+ cannot be reached.+\n +at .+/);
  expect(err).toMatch(/\nCaused by: TypeError: fetch failed\n +at .+/);
  expect((await run(args)).err).toMatch(/^error: .+ cannot be reached: .+\n$/);
});

test('a reader that goes away early is no error', async () => {
  const { processor } = database;
  const worker = processor();
  await worker.addJobFactory(echo);
  await worker.addJobs(
    Array.from({ length: 1000 }, () => ({ name: 'echo', input: { text: 'x'.repeat(200) } })),
  );

  const ending = await runInShell('list --all --json | head -1');

  expect(ending).toEqual({ code: '0', lines: 1, err: '' });
});

test.skipIf(!existsSync('/dev/full'))('1: output that cannot be written is told', async () => {
  for (const command of ['--help', 'workers --json', 'list --all'])
    expect(await runInShell(`${command} > /dev/full`)).toEqual({
      code: '1',
      lines: 0,
      err: expect.stringMatching(/^error: The output cannot be written: ENOSPC.+\n$/),
    });
});

async function runInShell(command: string): Promise<{ code: string; lines: number; err: string }> {
  const script = `set -o pipefail; "${process.execPath}" "${await commandLine.program()}" ${command}; echo "code $?"`;
  return new Promise((resolve) => {
    execFile('bash', ['-c', script], { env: { ...commandLine.env() } }, (_, out, err) => {
      const lines = out.trim().split('\n');
      resolve({ code: lines.at(-1)?.replace('code ', '') ?? '', lines: lines.length - 1, err });
    });
  });
}
