import { beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../eventually.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();
const list = '/dashboard/operations';

let browser: Browser;
beforeEach(async () => {
  browser = await signedIn(api, 'write');
});

const show = async (path: string) => (await browser.get(path)).text();
const submit = (fields: Record<string, string>, by = browser) => by.submit(list, fields);

async function addQueued(count: number, queue: string): Promise<readonly string[]> {
  return api.processor.addJobs(
    Array.from({ length: count }, () => ({ name: 'echo', input: {}, options: { queue, delay: '1h' } })),
  );
}

/** Waits until nothing is left to do for the latest operation. On a busy machine a scheduler does the rest. */
async function finish(state: 'done' | 'undone'): Promise<void> {
  await eventually(async () => {
    await api.processor.scheduleDueItems();
    expect((await api.processor.operations.list({ limit: 1 })).operations).toMatchObject([{ state }]);
  });
}

test('all jobs that match the filter of a list are changed, however many, and it can be undone', async () => {
  expect(textOf(await show(list))).toContain('There are none.');
  await addQueued(60, 'mail');
  await addQueued(1, 'other');
  const jobs = await show('/dashboard/jobs?status=queued&queue=mail');
  const [form = ''] = /<form [^>]*class="actions all".*?<\/form>/s.exec(jobs) ?? [];
  expect(textOf(form)).toMatch(/All that match, on other pages too: Cancel all $/);
  expect(form).toContain('<input type="hidden" name="queue" value="mail"/>');

  const begun = await submit({ action: 'cancel', status: 'queued', queue: 'mail' });

  const path = begun.headers.get('location') ?? '';
  await finish('done');
  expect(textOf(await show(path))).toMatch(
    /Cancel jobs Undo State done Progress 100 % 60 of 60: 60 cancelled, .* Jobs status queued, queue mail, up to .* By the-write/,
  );
  expect(textOf(await show(list))).toMatch(/Cancel jobs status queued, queue mail done 100 % 60 of 60/);
  expect(await api.processor.getJobs({ status: 'queued' })).toHaveLength(1);
  await browser.submit(path, { action: 'undo' });
  await finish('undone');
  expect(textOf(await show(path))).toMatch(/It is undo(ing|ne)\. .* 60 undone/);
  expect(await show(path)).not.toContain('value="undo"');
  expect(await api.processor.getJobs({ status: 'queued' })).toHaveLength(61);
});

test('one that runs shows how far it is, and is stopped once', async () => {
  await addQueued(1, 'mail');
  const { id } = await api.processor.operations.start({ action: 'cancel', filter: { queue: 'mail' } });
  const { operations } = api.database.collections();
  const running = { state: 'running', done: 20, skipped: 5, total: { count: 100, isCapped: false } } as const;
  await operations.updateOne({ _id: id }, { $set: running, $unset: { ended: 1 } });
  const path = `${list}/${id}`;
  expect(textOf(await show(path))).toMatch(/Stop Undo .* running Progress 25 % 25 of 100: 20 .*, 5 skipped/);

  for (const text of ['It is stopped.', 'cannot be stopped: it is stopped.']) {
    await browser.submit(path, { action: 'stop' });
    expect(textOf(await show(path))).toContain(text);
  }
  const reader = await signedIn(api, 'read');
  expect(await (await reader.get(path)).text()).not.toContain('value="undo"');
  expect((await reader.submit(path, { action: 'undo' })).status).toBe(403);
  expect((await browser.submit(path, { action: 'drop' })).status).toBe(422);
  await operations.updateOne({ _id: id }, { $set: { ended: new Date(Date.now() - 301_000) } });
  expect(await show(path)).not.toContain('value="undo"');
  expect((await browser.get(`${list}/none`)).status).toBe(404);
});

test('of more jobs than are counted it is not said how many', async () => {
  await addQueued(1, 'mail');
  const { id } = await api.processor.operations.start({ action: 'cancel', filter: { queue: 'mail' } });
  const total = { count: 5_000, isCapped: true };
  await api.database.collections().operations.updateOne({ _id: id }, { $set: { total, state: 'running' } });
  expect(textOf(await show(`${list}/${id}`))).toMatch(/Progress 1 cancelled/);
});

test('all that match are removed only by an admin who has confirmed it, and only those that were seen', async () => {
  const [first = ''] = await addQueued(2, 'mail');
  await api.processor.operations.start({ action: 'cancel', filter: { queue: 'mail' } });
  const fields = { action: 'remove', status: 'cancelled' };
  expect(await show('/dashboard/jobs?status=cancelled')).not.toContain('Remove all');
  expect((await submit(fields)).status).toBe(403);
  const admin = await signedIn(api, 'admin');
  expect(await (await admin.get('/dashboard/jobs?status=cancelled')).text()).toContain('Remove all');

  const asked = await (await submit(fields, admin)).text();
  expect(textOf(asked)).toContain('Remove all 2 jobs (status cancelled)? This cannot be undone.');
  const [, seen = ''] = /name="seen" value="([^"]+)"/.exec(asked) ?? [];
  expect(await api.storedJobs()).toBe(2);
  await api.database
    .collections()
    .jobs.updateOne({ _id: first }, { $set: { completed: new Date(Date.parse(seen) + 1) } });
  const begun = await submit({ ...fields, seen, confirmed: 'yes' }, admin);
  await finish('done');
  expect(textOf(await (await admin.get(begun.headers.get('location') ?? '')).text())).toContain('1 removed');
  expect((await api.processor.getJobs()).map(({ id }) => id)).toEqual([first]);
});

test('running jobs are asked to stop only after a question, since that cannot be undone', async () => {
  await api.processor.addJob('echo', {}, { id: 'runs' });
  await api.processor.pullNextJob();
  const fields = { action: 'cancel', status: 'processing' };
  expect(textOf(await (await submit(fields)).text())).toContain('Cancel the only job (status processing)?');
  expect((await api.processor.getJob('runs'))?.cancelRequested).toBeUndefined();
  const begun = await submit({ ...fields, confirmed: 'yes' });
  await finish('done');
  expect((await api.processor.getJob('runs'))?.cancelRequested).toBeDefined();
  expect(await show(begun.headers.get('location') ?? '')).not.toContain('value="undo"');
});

test.each([
  [{ action: 'retry' }],
  [{ action: 'retry', status: 'completed' }],
  [{ action: 'cancel', status: 'nonsense' }],
  [{ action: 'move', status: 'queued' }],
  [{ status: 'queued' }],
  [{ action: 'retry', status: 'error', failureKey: '\0' }],
])('the form %j is refused, and nothing is changed', async (fields: Record<string, string>) => {
  expect((await submit(fields)).status).toBe(422);
  expect((await api.processor.operations.list()).operations).toEqual([]);
});

test('without a status nothing is offered for all, but it is said how', async () => {
  await addQueued(1, 'mail');
  const text = textOf(await show('/dashboard/jobs?queue=mail'));
  expect(text).toContain('Choose a status to retry, cancel or remove all jobs that match.');
  expect(text).not.toContain('All that match');
});
