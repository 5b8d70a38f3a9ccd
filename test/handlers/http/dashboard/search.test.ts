import { beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { readSearch } from '../../../../handlers/http/dashboard/search-words.js';
import { defineJob } from '../../../../src/index.js';
import { collectionNames } from '../../../collection-names.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();
const list = '/dashboard/jobs';

const order = defineJob({
  name: 'order',
  input: z.object({ orderId: z.number(), fails: z.boolean().optional() }),
  searchable: ['orderId'],
  maxRetries: 1,
  run: async ({ input: { fails } }) => {
    if (fails) throw new Error('The service timed out');
  },
});

let browser: Browser;
beforeEach(async () => {
  await api.processor.addJobFactory(order);
  browser = await signedIn(api, 'write');
});

const searchFor = (q: string, rest: Record<string, string> = {}) =>
  browser.get(`${list}?${new URLSearchParams({ ...rest, q })}`);

test.each([
  ['status:error', { status: 'error' }],
  ['Kind:charge queue:mail', { name: 'charge', queue: 'mail' }],
  ['key:orderId=42 failed:<1h', { key: 'orderId=42', failed: '<1h' }],
  ['text:"timed out" order:oldest', { error: 'timed out', order: 'oldest' }],
  ['timed out', { error: 'timed out' }],
  ['"status:error"', { error: 'status:error' }],
])('the search %s is read', (text, filter) => {
  expect(readSearch(text)).toEqual({ filter });
});

test.each([
  ['colour:red', /'colour' is no word of a search: expected status, kind/],
  ['http://mail', /'http' is no word .* with a colon .* into quotes/],
  [`${'long '.repeat(101)}`, /The text for errors: expected at most 500 characters/],
  [`text:${'l'.repeat(501)}`, /text: expected at most 500 characters, not 'l+…'/],
  ['status:broken', /status: expected queued, .*not 'broken'/],
  ['failed:1h', /failed: expected <1h/],
  ['failed:<soon', /failed: expected <1h/],
  ['failed:2026-01-31T10:00Z..2026-01-31T09:00Z', /failed: expected <1h/],
  ['key:orderId', /key: expected a searchable path/],
  ['kind:a kind:b', /'kind' is given twice/],
  ['kind:""', /kind: expected a text/],
  ['text:a b', /'b' stands beside text/],
  ['__proto__:a toString:b', /'__proto__'|'toString' is no word/],
])('the search %s is refused with a reason, and nothing is lost', async (text, reason) => {
  const answer = await searchFor(text, { queue: 'mail' });
  const page = await answer.text();

  expect(answer.status).toBe(422);
  expect(textOf(page)).toMatch(reason);
  expect(page).toContain(`value="${text.replaceAll('"', '&quot;').replaceAll('<', '&lt;')}"`);
  expect(page).toContain('<input type="hidden" name="queue" value="mail"/>');
});

test('a search is added to the filter, which is shown as chips that take it away', async () => {
  const answer = await searchFor('status:error key:orderId=42', { queue: 'mail' });
  expect(answer.status).toBe(303);
  const address = answer.headers.get('location') ?? '';
  const filter = Object.fromEntries(new URLSearchParams(address.split('?')[1]));
  expect(filter).toEqual({ status: 'error', queue: 'mail', key: 'orderId=42' });

  const page = await (await browser.get(address)).text();

  expect(textOf(page)).toMatch(/Search without: status:error .*queue:mail .*key:orderId=42/);
  expect(page).toContain('href="/dashboard/jobs?status=error&amp;queue=mail"');
});

test('jobs are found by a value of their input, which stands in their rows', async () => {
  await api.processor.addJobs([
    { job: order, input: { orderId: 41 }, options: { id: 'one' } },
    { job: order, input: { orderId: 42 }, options: { id: 'two' } },
  ]);
  await api.processor.processJobs();

  const page = textOf(await (await browser.get(`${list}?key=orderId%3D42`)).text());

  expect(page).toMatch(/two orderId=42 completed .*waited .*, ran/);
  expect(page).not.toContain('orderId=41');
});

test('jobs are found by when they failed, and all of these are retried', async () => {
  await api.processor.addJobs(
    ['new', 'old'].map((id) => ({ job: order, input: { orderId: 1, fails: true }, options: { id } })),
  );
  await api.processor.processJobs();
  await api.database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: 'old' }, { $set: { completed: new Date(Date.now() - 7_200_000) } });
  const shown = async (failed: string) =>
    (await (await browser.get(`${list}?${new URLSearchParams({ failed })}`)).text()) ?? '';

  const [recent, before] = [await shown('<1h'), await shown('>1h')];

  expect([recent.includes('id="job-new"'), recent.includes('id="job-old"')]).toEqual([true, false]);
  expect([before.includes('id="job-new"'), before.includes('id="job-old"')]).toEqual([false, true]);
  expect(recent).toContain('Retry all');
  await browser.submit('/dashboard/operations', { action: 'retry', failed: '<1h' });
  const stateOf = (id: string) => api.processor.getJobStatus(id);
  expect([await stateOf('new'), await stateOf('old')]).toEqual(['queued', 'error']);
  const wrong = { action: 'cancel', status: 'queued', failed: '>1h', confirmed: 'yes' };
  expect((await browser.submit('/dashboard/operations', wrong)).status).toBe(422);
  expect(await stateOf('new')).toBe('queued');
  expect((await browser.get(`${list}?failed=1h`)).status).toBe(422);
});

test('the time of an end is a bound of the index, whatever the page', async () => {
  const { processor } = api;
  const documents = Array.from({ length: 30 }, (_, index) => ({
    _id: `j${String(index).padStart(2, '0')}`,
    jobName: 'order',
    queue: 'default',
    status: 'error',
    retryCounter: 1,
    created: new Date(1000),
    completed: new Date(1_000_000 + index * 1000),
    errors: [],
  }));
  await api.database.db.collection<{ _id: string }>(collectionNames.jobs).insertMany(documents);
  const times = { endedAfter: new Date(1_005_000), endedBefore: new Date(1_025_000) };
  for (const order of ['newest', 'oldest'] as const) {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await processor.jobs.list({ status: 'error', ...times, order, limit: 7, cursor });
      ids.push(...page.jobs.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined && ids.length < 30);
    const expected = documents.slice(5, 25).map(({ _id }) => _id);
    expect(ids).toEqual(order === 'oldest' ? expected : expected.toReversed());
    // A page whose bounds have moved past its cursor is empty.
    const { cursor: first } = await processor.jobs.list({ status: 'error', order, limit: 1 });
    const moved = order === 'newest' ? { endedAfter: new Date() } : { endedBefore: new Date(1) };
    expect((await processor.jobs.list({ status: 'error', order, cursor: first, ...moved })).jobs).toEqual([]);
  }
  expect((await processor.jobs.list({ jobName: 'order', ...times })).jobs).toHaveLength(20);
});
