import { beforeEach, expect, test } from 'vitest';
import { defineJob } from '../../../../src/index.js';
import { collectionNames } from '../../../collection-names.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { controlsOf, textOf } from './page-reader.js';

const api = useApi();
const list = '/dashboard/jobs';
const markup = `"'><script>alert(1)</script><b>&amp;`;

const evil = defineJob({
  name: 'evil',
  run: async ({ progress, log }) => {
    await progress(0.5, markup);
    log(markup, { [markup]: markup });
    throw new Error(markup);
  },
});

let browser: Browser;
beforeEach(async () => {
  browser = await signedIn(api, 'admin');
});

const show = async (path: string) => (await browser.get(path)).text();
/** How many jobs a list has. */
const count = (html: string) => html.match(/<tr id="job-/g)?.length ?? 0;

test('without jobs it is said how to add one', async () => {
  expect(textOf(await show(list))).toContain('No jobs yet. Add one by hand');
});

test('jobs are listed the newest first, or the oldest, 50 a page, and all can be reached', async () => {
  const ids = await api.processor.addJobs(
    Array.from({ length: 120 }, (_, index) => ({ name: 'echo', input: { index } })),
  );
  for (const order of ['newest', 'oldest']) {
    const seen: string[] = [];
    const sizes: number[] = [];
    let path: string | undefined = `${list}?order=${order}`;
    while (path !== undefined) {
      const html: string = await show(path);
      sizes.push(count(html));
      seen.push(...[...html.matchAll(/<tr id="job-([^"]+)"/g)].map(([, id = '']) => id));
      path = /class="button" href="([^"]*cursor=[^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
    }
    expect(sizes).toEqual([50, 50, 20]);
    expect(seen.toSorted()).toEqual(ids.toSorted());
  }
});

test('jobs are filtered by status, kind, queue and the text of errors', async () => {
  await api.processor.addJob('failing');
  await api.processor.processJobs();
  await api.processor.addJobs([
    { name: 'echo', input: {}, options: { queue: 'mail' } },
    { name: 'echo', input: {}, options: { queue: 'mail', delay: '1h' } },
    { name: 'anything', options: { delay: '1h' } },
  ]);

  for (const [query, expected] of [
    ['', 4],
    ['status=error', 1],
    ['status=queued', 3],
    ['name=echo', 2],
    ['queue=mail', 2],
    ['status=queued&name=anything', 1],
    ['error=HOPELESS', 1],
    ['error=.*', 0],
    ['status=&name=&queue=&error=', 4],
    ['status[$ne]=queued&name[$regex]=.', 4],
    ['name=$ne', 0],
  ] as const)
    expect([query, count(await show(`${list}?${query}`))]).toEqual([query, expected]);
  expect(textOf(await show(`${list}?queue=nothing`))).toContain('No job matches. Show all');
});

test.each([
  'status=nonsense',
  'order=nonsense',
  `name=${'x'.repeat(501)}`,
  'cursor=x',
  'cursor=eyJhIjoxfQ',
  'queue=%00',
  'name=%00&status=error',
])('an address that makes no sense is answered with a page that says so: %s', async (query) => {
  const answer = await browser.get(`${list}?${query}`);

  expect(answer.status).toBe(422);
  expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
});

test('whatever a job holds is shown as text, in the list and on its page', async () => {
  await api.processor.addJobFactory(evil);
  const input = { [markup]: [markup, { '</script>': markup }] };
  const id = await api.processor.addJob('anything', input, { id: markup, queue: markup, uniqueKey: markup });
  const failed = await api.processor.addJob('evil', undefined, { maxRetries: 1, priority: 9 });
  await api.processor.drain();

  for (const path of [
    list,
    `${list}?${new URLSearchParams({ queue: markup, name: markup, error: markup })}`,
    `${list}/${encodeURIComponent(id)}`,
    `${list}/${failed}`,
    `${list}/${encodeURIComponent(`${markup}x`)}`,
    `/dashboard/job-factories/anything?from=${encodeURIComponent(id)}`,
    `/dashboard/job-factories/${encodeURIComponent(markup)}`,
  ]) {
    const html = await show(path);
    expect(html).not.toMatch(/<script>|<b>|"'>/);
    expect(textOf(html)).toContain('<script>alert(1)</script>');
  }
});

test('a job shows what happened to it, what went in, and what came out', async () => {
  const id = await api.processor.addJob('echo', { greeting: 'hello', list: [1, null, true] });
  expect(textOf(await show(`${list}/${id}`))).toContain('There is none: the job is not completed.');
  await api.processor.processJobs();

  const text = textOf(await show(`${list}/${id}`));

  expect(text).toContain('Ended: completed');
  expect(text).toMatch(/Added .* Picked by a worker .* Attempt 1 began/);
  expect(text.match(/greeting "hello" list \[ 3 \] 0 1 1 null 2 true/g)).toHaveLength(2);
});

test('a job that waits for its moment says when it is due, in the list and on its page', async () => {
  const id = await api.processor.addJob('echo', {}, { delay: '5h' });
  const now = await api.processor.addJob('echo', {});

  expect(textOf(await show(list))).toMatch(/queued due in [45] h/);
  expect(textOf(await show(`${list}/${id}`))).toMatch(/Attempt 1 is due .* 5 h later/);
  expect(textOf(await show(`${list}/${now}`))).not.toContain('is due');
});

test('a job that runs says how far it is, for how long, and at which worker', async () => {
  const id = await api.processor.addJob('echo', {});
  await api.processor.pullNextJob();
  await api.database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: id }, { $set: { progress: { done: 1, of: 4 } } });

  expect(await show(list)).toContain('title="25 %"');
  const html = await show(`${list}/${id}`);
  expect(textOf(html)).toMatch(/25 % · 1 of 4 .* Running for [\d.]+ m?s Worker \S+/);
  expect(html).not.toContain((await api.database.storedJob(id))?.lease?.token ?? '');
});

test('one is led to a job by its id', async () => {
  const { headers } = await browser.get(`/dashboard/find-job?id=${encodeURIComponent(' a/b% ')}`);

  expect(headers.get('location')).toBe(`${list}/a%2Fb%25`);
});

test('an error is shown with its stack', async () => {
  const id = await api.processor.addJob('failing');
  await api.processor.processJobs();

  const text = textOf(await show(`${list}/${id}`));

  expect(text).toContain('Attempt 1: It is hopeless.');
  expect(text).toMatch(/RemoteException: It is hopeless\. at .*jobs\.ts/);
});

test('a large value is shown in part, and can be had as a whole', async () => {
  const input = { list: Array.from({ length: 20_000 }, (_, index) => index), text: 'x'.repeat(50_000) };
  const id = await api.processor.addJob('anything', input);

  const html = await show(`${list}/${id}`);

  expect(html.length).toBeLessThan(200_000);
  expect(textOf(html)).toContain('19,');
  expect(textOf(html)).toContain('more: download the whole');
  const file = await browser.get(`${list}/${id}/input.json`);
  expect(file.headers.get('content-disposition')).toBe('attachment; filename="input.json"');
  expect(await file.json()).toEqual(input);
});

test('a job is cancelled, retried and removed from its page', async () => {
  const id = await api.processor.addJob('echo', {});
  const act = (action: string) => browser.submit(list, { id, action, from: 'job', confirmed: 'yes' });

  expect((await act('cancel')).headers.get('location')).toBe(`${list}/${id}`);
  expect(await api.processor.getJobStatus(id)).toBe('cancelled');
  expect((await act('retry')).headers.get('location')).toBe(`${list}/${id}`);
  expect(await api.processor.getJobStatus(id)).toBe('queued');
  await act('remove');
  expect(textOf(await show(`${list}/${id}`))).toMatch(/Not done: .*cancel it first/);
  await act('cancel');
  expect((await act('remove')).headers.get('location')).toBe(list);
  expect(await api.processor.getJob(id)).toBeUndefined();
});

test('who removes without the script is asked by a page, and nothing is removed before', async () => {
  const ids = await api.processor.addJobs([
    { name: 'echo', input: {} },
    { name: 'echo', input: {} },
  ]);
  await api.processor.processJobs();

  const asked = await browser.submit(list, { id: ids, action: 'remove', here: `${list}?status=completed` });

  const html = await asked.text();
  expect(textOf(html)).toContain('Remove 2 jobs for good?');
  expect(html).toContain(`href="${list}?status=completed"`);
  expect(await api.storedJobs()).toBe(2);
  const fields = controlsOf(html);
  const answer = await browser.post(list, {
    // Other forms of the page, below it, have fields of the same names.
    ...Object.fromEntries(fields.toReversed().map(({ name, value }) => [name, value])),
    id: fields.filter(({ name }) => name === 'id').map(({ value }) => value),
  });
  expect(answer.headers.get('location')).toBe(`${list}?status=completed`);
  expect(await api.storedJobs()).toBe(0);
});

test('several are treated at once: what one refuses does not keep the others', async () => {
  const [done, ...others] = await api.processor.addJobs(
    Array.from({ length: 4 }, () => ({ name: 'echo', input: {} })),
  );
  await api.processor.processNextJob();

  const here = `${list}?status=queued`;
  const answer = await browser.submit(list, {
    id: [done ?? '', ...others, 'nobody'],
    action: 'cancel',
    here,
  });

  expect(answer.headers.get('location')).toBe(here);
  const text = textOf(await show(here));
  expect(text).toContain('Cancelled, or asked to stop: 3 jobs. Not done:');
  expect(text).toContain('(and 1 others)');
  expect(await api.processor.getJobs({ status: 'cancelled' })).toHaveLength(3);
  await browser.submit(list, { action: 'cancel' });
  expect(textOf(await show(list))).toContain('Tick some jobs first.');
});

test('a retry kicks the worker', async () => {
  const id = await api.processor.addJob('echo', {});
  await api.processor.cancelJob(id);

  await browser.submit(list, { id, action: 'retry' });

  expect(api.kicks).toBe(1);
});

test('what each role may do is shown to it, and anything else is refused', async () => {
  const id = await api.processor.addJob('failing');
  await api.processor.processJobs();
  for (const [role, allowed] of [
    ['read', []],
    ['write', ['retry', 'cancel']],
  ] as const) {
    const limited = await signedIn(api, role);
    const html =
      (await (await limited.get(list)).text()) + (await (await limited.get(`${list}/${id}`)).text());
    for (const action of ['retry', 'cancel', 'remove']) {
      const isAllowed = allowed.some((one) => one === action);
      expect(html.includes(`value="${action}"`)).toBe(isAllowed);
      const { status } = await limited.submit(list, { id, action });
      expect(status).toBe(isAllowed ? 303 : 403);
    }
  }
  expect((await browser.submit(list, { id, action: 'nonsense' })).status).toBe(422);
  expect(await api.processor.getJobStatus(id)).toBe('cancelled');
});

test('what refreshes a page leaves what is to be told for the reader', async () => {
  const id = await api.processor.addJob('echo', {});
  await browser.submit(list, { id, action: 'cancel', from: 'job' });

  const refreshed = await (await browser.get(`${list}/${id}`, { 'x-refresh': '1' })).text();

  expect(refreshed).not.toContain('class="notice');
  expect(await show(`${list}/${id}`)).toContain('class="notice done"');
  expect(await show(`${list}/${id}`)).not.toContain('class="notice');
});

test('more than 500 ticked jobs are refused, and none of them is changed', async () => {
  const ids = await api.processor.addJobs(
    Array.from({ length: 60 }, () => ({ name: 'echo', input: {}, options: { delay: '1h' } })),
  );
  const tooMany = [...ids, ...Array.from({ length: 441 }, (_, n) => `none-${n}`)];
  const refused = await browser.submit(list, { id: tooMany, action: 'cancel' });

  expect(refused.status).toBe(422);
  expect(textOf(await refused.text())).toContain('Expected at most 500 ticked jobs, not 501.');
  expect(await api.processor.getJobs({ status: 'queued' })).toHaveLength(60);
  expect((await browser.submit(list, { id: ids.slice(1), action: 'cancel' })).status).toBe(303);
  expect(await api.processor.getJobs({ status: 'queued' })).toHaveLength(1);
});
