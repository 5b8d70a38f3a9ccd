import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../../src/index.js';
import { holdBack } from '../../../hold-back.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();
const list = '/dashboard/limits';
const page = `${list}/import%3D%3Cb%3Ea`;

const job = defineJob({
  name: 'import',
  input: z.object({ tenant: z.string() }),
  concurrency: { key: 'tenant', limit: 1 },
  run: async () => {},
});

let browser: Browser;
beforeEach(async () => {
  browser = await signedIn(api, 'admin');
});

const show = async (path: string) => textOf(await (await browser.get(path)).text());

/** For each tenant a job that runs, and some that wait. */
async function waiting(counts: Readonly<Record<string, number>>) {
  await api.processor.addJobFactory(job);
  for (const [tenant, count] of Object.entries(counts)) {
    const ids = Array.from({ length: count + 1 }, (_, n) => `${tenant}-${n}`);
    await api.processor.addJobs(ids.map((id) => ({ job, input: { tenant }, options: { id } })));
  }
  while (await api.processor.pullNextJob());
}

test('limits are listed, the fullest first, and those that are set', async () => {
  expect(await show(list)).toContain('No job waits for a limit, and none is set.');
  await waiting({ '<b>a': 1, b: 2 });
  await api.processor.limits.set('export', { max: 7 });

  const html = await (await browser.get(list)).text();

  expect(html).not.toContain('<b>a');
  expect(textOf(html)).toMatch(
    /import=b 2 \S+( \S+)* 1 1 open Pause import=<b>a 1 \S+( \S+)* 1 1 open Pause export 0 – 0 7, set open Pause/,
  );
});

test('waits of the last hour are shown by name of limit', async () => {
  expect(await show(list)).toContain('No job waited for a limit.');
  await waiting({ a: 1, b: 2 });
  for (const tenant of ['a', 'b']) await api.processor.limits.set(`import=${tenant}`, { max: 2 });
  expect(await show(list)).toMatch(/Waits in the last hour Limit Waits On average import 2 \d+m?s /);
});

test('a limit has a page of its own, with who holds its places and who is next', async () => {
  await waiting({ '<b>a': 2 });

  const html = await (await browser.get(page)).text();

  expect(textOf(html)).toMatch(/Waiting 2, one since .* Taken 1 Places 1 /);
  expect(textOf(html)).toMatch(
    /Who holds the places import <b>a-0 processing Next in line import <b>a-1 queue default import <b>a-2/,
  );
  expect(html).toContain('href="/dashboard/jobs/%3Cb%3Ea-1"');
});

test('an admin sets, pauses and resumes a limit, nobody else', async () => {
  await waiting({ '<b>a': 3 });
  const key = 'import=<b>a';
  for (const role of ['read', 'write'] as const) {
    const other = await signedIn(api, role);
    expect(await (await other.get(page)).text()).not.toContain('value="pause"');
    expect((await other.submit(list, { key, action: 'pause' })).status).toBe(403);
  }
  expect((await api.processor.limits.get(key)).paused).toBeNull();

  await browser.submit(list, { key, action: 'pause', from: 'page' });
  expect(await show(page)).toMatch(
    /Limit import=<b>a is paused: what runs goes on\. .* State paused (now|\d+ s ago)/,
  );
  await browser.submit(list, { key, action: 'set', max: '3', from: 'page' });
  expect((await api.processor.limits.get(key)).taken).toBe(1);
  await browser.submit(list, { key, action: 'resume' });
  expect(await api.processor.limits.get(key)).toMatchObject({ taken: 3, max: 3, paused: null });
  await browser.submit(list, { key, action: 'set', max: ' ' });
  expect((await api.processor.limits.get(key)).max).toBeNull();
});

test.each([
  [{ key: 'import', action: 'set', max: 'many' }],
  [{ key: 'import', action: 'set', max: '0' }],
  [{ key: '', action: 'pause' }],
  [{ key: 'rate sync', action: 'pause' }],
  [{ key: 'import', action: 'drop' }],
])('the form %j is refused', async (form) => {
  expect((await browser.submit(list, form)).status).toBe(422);
  expect((await api.processor.limits.list()).limits).toEqual([]);
});

describe('why a job waits:', () => {
  const why = async (id: string) =>
    /Runs (.*?) Added/.exec(await show(`/dashboard/jobs/${encodeURIComponent(id)}`))?.[1];

  test('for nothing but a worker', async () => {
    await api.processor.addJob('echo', {}, { id: 'a' });
    expect(await why('a')).toBe('As soon as a worker takes it.');
  });

  test('for its time', async () => {
    await api.processor.addJob('echo', {}, { id: 'a', delay: '1h' });
    expect(await why('a')).toMatch(/^in (1 h|59 min|\d+ min) , at \d{4}-.* UTC \.$/);
  });

  test('for a place in a limit, which is told who holds it, and that it is paused', async () => {
    await waiting({ a: 2 });
    expect(await why('a-2')).toBe(
      'When it gets a place in the limit import=a : 1 of 1 taken, 2 in line. Held by import a-0 .',
    );
    await api.processor.limits.pause('import=a');
    expect(await why('a-2')).toMatch(/The limit is paused since (now|\d+ s ago) \./);
  });

  test('for its moment in a rate limit', async () => {
    const rated = defineJob({ name: 'sync', rateLimit: { limit: 1, period: '1h' }, run: async () => {} });
    await api.processor.addJobFactory(rated);
    await api.processor.addJobs(['a', 'b'].map((id) => ({ job: rated, options: { id } })));
    await api.processor.drain();
    const left = (await api.processor.getJobStatus('a')) === 'queued' ? 'a' : 'b';
    expect(await why(left)).toMatch(/: the rate limit rate sync lets it start then\.$/);
    expect(await (await api.call(`/v1/jobs/${left}`)).json()).toMatchObject({
      postponedBy: 'rate sync',
      started: null,
    });
  });

  test('for those before it in a strict order, which a failed job stops until it is skipped', async () => {
    const ordered = defineJob({
      name: 'events',
      maxRetries: 1,
      ordering: {},
      run: () => Promise.reject(new Error('no')),
    });
    await api.processor.addJobFactory(ordered);
    for (const id of ['a', 'b', 'c']) await api.processor.addJob(ordered, undefined, { id });
    expect(await why('b')).toMatch(
      /^When the jobs before it have ended, in the strict order events : 2 in line\. Held by events a \.$/,
    );
    await api.processor.processNextJob();
    expect(await why('b')).toContain('The order is stopped by a job that failed: retry, skip or remove it.');
    const order = `${list}/order%20events`;
    expect(await show(order)).toMatch(/Skip the failed job Pause .* Places 1 Who holds/);
    expect(await show(list)).toContain('stopped by a');
    await browser.submit(list, { key: 'order events', action: 'skip', from: 'page' });
    expect(await show(order)).toContain('Limit order events goes on without job a.');
    expect(await why('b')).toBe('As soon as a worker takes it.');
  });

  test('for the circuit breaker of its kind', async () => {
    const charge = defineJob({
      name: 'charge',
      maxRetries: 2,
      circuitBreaker: { failures: 1, within: '1m', pause: '1h' },
      retryDelay: 0,
      run: () => Promise.reject(new Error('The bank is down.')),
    });
    await api.processor.addJobFactory(charge);
    await api.processor.addJob(charge, undefined, { id: 'a' });
    await api.processor.processNextJob();
    expect(await why('a')).toMatch(
      /^When the circuit breaker of its kind is closed again: .* One job is tried in \d+ (min|h) \.$/,
    );
  });

  test('for its paused queue', async () => {
    await api.processor.addJob('echo', {}, { id: 'a', queue: 'mail' });
    await api.processor.queues.pause('mail');
    expect(await why('a')).toMatch(/^Its queue is paused since (now|\d+ s ago) \.$/);
  });

  test('for a worker that runs nothing else', async () => {
    await api.processor.addJob('echo', {}, { id: 'a' });
    await holdBack(api.database.collections().jobs, { _id: 'a' });
    expect(await why('a')).toMatch(/^As soon as a worker runs nothing else/);
  });
});

test('an open circuit breaker is shown, and a button closes it', async () => {
  const charge = defineJob({
    name: 'charge',
    circuitBreaker: { failures: 1, within: '1m', pause: '1m' },
    run: () => Promise.reject(new Error('The bank is down.')),
  });
  await api.processor.addJobFactory(charge);
  await api.processor.addJob(charge);
  await api.processor.processNextJob();
  expect(await show(list)).toMatch(/breaker charge .* no job starts one is tried .* Close/);

  await browser.submit(list, { key: 'breaker charge', action: 'resume', from: 'list' });

  expect(await show(list)).toContain('No job waits for a limit, and none is set.');
});
