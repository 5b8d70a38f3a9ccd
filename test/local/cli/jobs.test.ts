import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defineJob } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { eventually } from '../../eventually.js';
import { anything, echo, failing } from '../../jobs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, runProcess, json } = useCommandLine(database);

async function prepare() {
  const processor = database.processor();
  await processor.addJobFactories([anything, echo, failing]);
  return processor;
}

test('add shows the id of the job that it added, with its options', async () => {
  const processor = await prepare();

  const { code, out, err } = await run([
    ...['add', 'echo', '{ "hello": "me" }', '--id', 'mine', '--queue', 'mail', '--priority', '7'],
    ...['--delay', '1h', '--max-retries', '5', '--retry-delay', '3s', '--unique-key', 'one'],
  ]);

  expect({ code, out, err }).toEqual({ code: 0, out: 'mine\n', err: '' });
  const job = await processor.getJob('mine');
  expect(job).toMatchObject({ status: 'queued', input: { hello: 'me' }, queue: 'mail', priority: 7 });
  expect(job).toMatchObject({ maxRetries: 5, retryDelay: 3000, uniqueKey: 'one' });
  expect(job?.runAt.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
});

test('add tells of a unique key that is taken, and replaces or puts off the job that has it', async () => {
  const processor = await prepare();
  const add = (n: number, ...options: string[]) =>
    run(['add', 'echo', `{ "shop": "a", "n": ${n} }`, '--unique-by', 'shop,shop', ...options]);

  const id = (await add(1)).out.trim();
  expect(await processor.getJob(id)).toMatchObject({ uniqueKey: '["a","a"]' });
  expect(await add(2)).toMatchObject({
    out: `${id}\n`,
    err: expect.stringContaining('it is kept, with another input'),
  });
  expect((await add(3, '--unique-mode', 'replace')).err).toContain('it was replaced');
  await add(4, '--debounce', '1h', '--max-wait', '2h');
  const job = await processor.getJob(id);
  expect(job?.input).toEqual({ shop: 'a', n: 4 });
  expect(job?.runAt.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
  const both = await add(5, '--debounce', '1h', '--unique-mode', 'replace');
  expect(both.code).not.toBe(0);
  expect(both.err).toContain('give only one of uniqueKey, unique and debounce');
});

test('digits alone are milliseconds, wherever a duration is asked for', async () => {
  const processor = await prepare();
  const ran = await processor.addJob('echo', {});
  await processor.processJobs();

  const added = await run(['add', 'echo', '{}', '--delay', '3600000', '--retry-delay', '5000']);

  expect(added).toMatchObject({ code: 0, err: '' });
  const job = await processor.getJob(added.out.trim());
  expect(job).toMatchObject({ retryDelay: 5000 });
  expect(job?.runAt.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
  expect((await run(['get', added.out.trim(), '--timeout', '10'])).err).toContain('is still queued');
  expect(await json(['stats', '--since', '3600000', '--step', '300000'])).toMatchObject({ counts: {} });
  expect(await json(['remove', '--status', 'completed', '--older-than', '3600000', '--yes'])).toEqual({
    removed: { completed: 0 },
  });
  expect(await processor.getJobStatus(ran)).toBe('completed');
  expect(await run(['add', 'echo', '{}', '--delay', 'soon'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('expected milliseconds'),
  });
});

test('add takes the input from standard input and from a file, and keeps it as it is', async () => {
  const processor = await prepare();
  const folder = await mkdtemp(join(tmpdir(), 'remote-processor-input-'));
  const file = join(folder, 'input.json');
  await writeFile(file, '\ufeff[1, "from a file"]');

  const piped = await runProcess(['add', 'anything', '-'], {
    input: '{ "$gt": { "a.b": null }, "text": "ü" }',
  });
  const read = await run(['add', 'anything', `@${file}`]);
  await rm(folder, { recursive: true });

  expect((await processor.getJob(piped.out.trim()))?.input).toEqual({ $gt: { 'a.b': null }, text: 'ü' });
  expect((await processor.getJob(read.out.trim()))?.input).toEqual([1, 'from a file']);
});

test.each([
  ['{ "hello"', /The input is not JSON/],
  ['12345678901234567890', /too large to be kept exactly/],
  ['@/nowhere.json', /The input cannot be read/],
  [`@${process.execPath}`, /The input cannot be read: it is not UTF-8/],
  ['[]', /^ {2}input: Invalid input/m],
])('add refuses the input %s as wrong usage, and adds nothing', async (input, reason) => {
  const processor = await prepare();

  const { code, out, err } = await run(['add', 'echo', input]);

  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(reason);
  expect(err).not.toContain('    at ');
  expect((await processor.jobs.list()).jobs).toEqual([]);
});

test('add --wait shows what the job returned, and exits with 0', async () => {
  const processor = await prepare();
  processor.startProcessor();

  const { code, out, err } = await run(['add', 'echo', '{ "n": 1 }', '--wait', '--timeout', '20s']);

  expect({ code, out: JSON.parse(out) }).toEqual({ code: 0, out: { n: 1 } });
  expect(err).toMatch(/^Job \w+: waiting\n$/);
});

test('add --wait of a job that fails tells why, and exits with 6', async () => {
  const processor = await prepare();
  processor.startProcessor();

  const { code, out, err } = await run(['add', 'failing', '--wait']);

  expect({ code, out }).toEqual({ code: 6, out: '' });
  expect(err).toMatch(/error: Job \w+ ended as error: It is hopeless\.\n$/);
});

test('whoever waits for a job in vain until the time is up gets 6, and the job goes on waiting', async () => {
  const processor = await prepare();
  const id = await processor.addJob('echo', {});

  const { code, err } = await run(['get', id, '--timeout', '1s']);

  expect(code).toBe(6);
  expect(err).toContain(`Job ${id} is still queued`);
  expect(await processor.getJobStatus(id)).toBe('queued');
});

test('get shows a job as the API does, with --json, and its errors to people', async () => {
  const processor = await prepare();
  const id = await processor.addJob('failing');
  await processor.processJobs();

  const shown = await run(['get', id]);

  expect(await json(['get', id])).toMatchObject({ id, jobName: 'failing', status: 'error', output: null });
  expect(shown.out).toMatch(/^id +\w+\njob +failing\nstatus +error\n/);
  expect(shown.out).toContain('It is hopeless.');
});

test('get --log shows what a job logged', async () => {
  const processor = await prepare();
  const chatty = defineJob({
    name: 'chatty',
    run: async ({ log }) => log('half done', { left: 3 }),
  });
  await processor.addJobFactory(chatty);
  const id = await processor.addJob('chatty');
  await processor.processJobs();

  const { out } = await run(['get', id, '--log']);

  expect(out).toMatch(/\n\n\S+Z attempt 1 {2}half done \{"left":3\}\n$/);
  expect(await json(['get', id, '--log'])).toMatchObject({
    id,
    log: { lines: [{ attempt: 1, message: 'half done', fields: { left: 3 } }], dropped: 0 },
  });
});

test('get --log of a job that logged nothing says so, beside the results', async () => {
  const processor = await prepare();
  const id = await processor.addJob('echo', {});

  const { code, out, err } = await run(['get', id, '--log']);

  expect({ code, err }).toEqual({ code: 0, err: 'It has logged nothing\n' });
  expect(out).not.toMatch(/\n\n/);
});

test('get of a job that is not there exits with 3', async () => {
  await prepare();
  for (const id of ['nobody', '..', ''])
    expect(await run(['get', id])).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringContaining(`'${id}'`),
    });
});

test('what is stored in a job cannot write on the terminal of who looks at it', async () => {
  const processor = await prepare();
  const id = await processor.addJob('anything', '\u001b[2J\u001b]0;title\u0007 \u202egnp.exe \u009b31m');
  await processor.addJob('anything', null, { queue: 'red\u001b[31m\nrow' });

  const { out } = await run(['get', id]);
  const list = await run(['list']);

  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  const harmful = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;
  expect(out).not.toMatch(harmful);
  expect(list.out).not.toMatch(harmful);
  expect(list.out.trim().split('\n')).toHaveLength(3);
});

test('cancel and retry tell what became of each, and exit as the first that failed', async () => {
  const processor = await prepare();
  const id = await processor.addJob('echo', {});
  const other = await processor.addJob('echo', {});

  expect(await json(['cancel', id, other])).toEqual({
    jobs: [
      { id, status: 'cancelled' },
      { id: other, status: 'cancelled' },
    ],
  });
  expect(await run(['cancel', id])).toMatchObject({ code: 1, out: '' });
  const retried = await run(['retry', 'nobody', id]);

  expect(retried).toMatchObject({ code: 3, out: expect.stringMatching(/queued/) });
  expect(retried.err).toContain("'nobody'");
  expect(await processor.getJobStatus(id)).toBe('queued');
  expect(await run(['retry', 'nobody', id])).toMatchObject({
    code: 3,
    err: expect.stringMatching(/2 of 2 failed\n$/),
  });
  expect(await json(['retry', 'nobody', other], 3)).toMatchObject({
    jobs: [
      { id: 'nobody', error: { code: 'not_found' } },
      { id: other, status: 'queued' },
    ],
  });
});

test('remove asks first, and removes nothing when nobody can answer', async () => {
  const processor = await prepare();
  const id = await processor.addJob('echo', {});
  await processor.processJobs();

  const unasked = await run(['remove', '--status', 'completed']);
  const tooYoung = await json(['remove', '--status', 'completed', 'error', '--older-than', '1h', '--yes']);

  expect(unasked).toMatchObject({ code: 2, err: expect.stringContaining('say --yes') });
  expect(tooYoung).toEqual({ removed: { completed: 0, error: 0 } });
  expect(await processor.getJob(id)).toBeDefined();
  expect(await run(['remove', '--status', 'completed', '--yes'])).toMatchObject({
    code: 0,
    out: '1 completed\n',
  });
  expect(await processor.getJob(id)).toBeUndefined();
  expect(await run(['remove', '--status', 'queued', '--yes'])).toMatchObject({ code: 2 });
});

test('remove takes ids too, and tells what became of each', async () => {
  const processor = await prepare();
  const ids = await processor.addJobs([1, 2, 3].map((n) => ({ name: 'echo', input: { n } })));
  const [first = '', second = ''] = ids;
  await processor.processJobs();
  const queued = await processor.addJob('echo', {});

  expect(await run(['remove', first])).toMatchObject({ code: 2, err: expect.stringContaining('say --yes') });
  expect(await processor.getJobStatus(first)).toBe('completed');
  expect(await json(['remove', first, queued, 'nobody', second, '--yes'], 1)).toMatchObject({
    jobs: [
      { id: first, status: 'removed' },
      { id: queued, error: { code: 'conflict' } },
      { id: 'nobody', error: { code: 'not_found' } },
      { id: second, status: 'removed' },
    ],
  });
  expect((await processor.getJobs()).map(({ id }) => id)).toEqual([ids[2], queued]);
});

test.each(['', 'an-id --status completed', 'an-id --older-than 7d', '--older-than 7d'])(
  "'remove %s' does not say what: nothing is removed",
  async (words) => {
    expect(await run(['remove', ...words.split(' ').filter((word) => word !== ''), '--yes'])).toMatchObject({
      code: 2,
      err: 'error: Give the ids of jobs, or --status and optionally --older-than\n',
    });
  },
);

test('add --wait says so when the job is gone at its end, since it is not kept', async () => {
  const processor = await prepare();
  await processor.addJobFactory(defineJob({ name: 'fleeting', retention: { completed: 0 }, run: () => 1 }));

  const waiting = run(['add', 'fleeting', '--id', 'a', '--wait']);
  await eventually(async () => expect(await processor.getJob('a')).toBeDefined());
  await processor.processJobs();

  const { code, err } = await waiting;
  expect({ code, err }).toEqual({ code: 6, err: expect.stringContaining('Job a is gone') });
});
