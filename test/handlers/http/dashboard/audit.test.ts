import { expect, test } from 'vitest';
import { formsByRoute } from '../../../../handlers/http/dashboard/audit-forms.js';
import { createDashboard } from '../../../../handlers/http/dashboard/dashboard.js';
import { WrongKeys } from '../../../../handlers/http/wrong-keys.js';
import { silent } from '../../../database.js';
import { apiKeys, type TestApi, useApi } from '../api.js';
import { secrets, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();
const tick = { id: 'tick', type: 'Delay', delay: '1h', jobName: 'echo', input: {} } as const;

const job = ({ processor }: TestApi) => processor.addJob('echo', {}, { id: 'j', delay: '1h' });
const item = ({ processor }: TestApi) => processor.addScheduler(tick);
const batch = ({ processor }: TestApi) => processor.addBatch([{ name: 'echo', input: {} }], { id: 'b' });
const workflow = ({ processor }: TestApi) =>
  processor.addWorkflow({ id: 'w', jobs: { one: { name: 'echo', input: {} } } });
const nothing = async () => {};

type Fields = Readonly<Record<string, string>>;
type Scenario = readonly [prepare: (api: TestApi) => Promise<unknown>, path: string, Fields, entry: object];

const form = '/dashboard';
const scenarios: Readonly<Record<string, Scenario>> = {
  [`${form}/jobs`]: [
    job,
    `${form}/jobs`,
    { action: 'cancel', id: 'j' },
    { action: 'cancelJob', targets: ['job:j'] },
  ],
  [`${form}/jobs/:id/changes`]: [
    job,
    `${form}/jobs/j/changes`,
    { priority: '4' },
    { action: 'updateJob', targets: ['job:j'] },
  ],
  [`${form}/jobs/:id/signals`]: [
    job,
    `${form}/jobs/j/signals`,
    { name: 'paid' },
    { action: 'sendSignal', targets: ['job:j'], changes: [{ field: 'name', after: 'paid' }] },
  ],
  [`${form}/job-factories/:name`]: [
    nothing,
    `${form}/job-factories/echo`,
    { as: 'json', '["input"]': '{}' },
    { action: 'addJob', targets: [expect.stringMatching(/^job:[0-9a-f]{24}$/)] },
  ],
  [`${form}/operations`]: [
    nothing,
    `${form}/operations`,
    { action: 'retry', status: 'error' },
    { action: 'startOperation', targets: [expect.stringMatching(/^operation:[0-9a-f]{24}$/)] },
  ],
  [`${form}/operations/:id`]: [
    nothing,
    `${form}/operations/none`,
    { action: 'undo' },
    { action: 'undoOperation', targets: ['operation:none'], outcome: 'refused' },
  ],
  [`${form}/batches`]: [
    batch,
    `${form}/batches`,
    { action: 'cancel', id: 'b' },
    { action: 'cancelBatch', targets: ['batch:b'] },
  ],
  [`${form}/workflows`]: [
    workflow,
    `${form}/workflows`,
    { action: 'cancel', id: 'w' },
    { action: 'cancelWorkflow', targets: ['workflow:w'] },
  ],
  [`${form}/limits`]: [
    nothing,
    `${form}/limits`,
    { action: 'set', key: 'import=a', max: '7' },
    { action: 'setLimit', targets: ['limit:import=a'], changes: [{ field: 'max', after: '7' }] },
  ],
  [`${form}/queues`]: [
    nothing,
    `${form}/queues`,
    { action: 'pause', queue: 'mail' },
    { action: 'pauseQueue', targets: ['queue:mail'] },
  ],
  [`${form}/new-scheduler`]: [
    nothing,
    `${form}/new-scheduler`,
    { text: JSON.stringify(tick) },
    { action: 'addScheduler', targets: ['schedule:tick'] },
  ],
  [`${form}/schedulers/:id`]: [
    item,
    `${form}/schedulers/tick`,
    { version: '1', text: JSON.stringify({ ...tick, id: undefined, title: 'New' }) },
    { action: 'updateScheduler', targets: ['schedule:tick'], changes: [{ field: 'title', after: 'New' }] },
  ],
  [`${form}/schedulers/:id/activate`]: [
    item,
    `${form}/schedulers/tick/activate`,
    {},
    { action: 'activateScheduler', changes: [{ field: 'active', before: 'false', after: 'true' }] },
  ],
  [`${form}/schedulers/:id/deactivate`]: [
    item,
    `${form}/schedulers/tick/deactivate`,
    {},
    { action: 'deactivateScheduler', targets: ['schedule:tick'] },
  ],
  [`${form}/schedulers/:id/run`]: [
    item,
    `${form}/schedulers/tick/run`,
    {},
    { action: 'runScheduler', targets: ['schedule:tick', expect.stringMatching(/^job:/)] },
  ],
  [`${form}/schedulers/:id/remove`]: [
    item,
    `${form}/schedulers/tick/remove`,
    { confirmed: 'yes' },
    { action: 'removeScheduler', targets: ['schedule:tick'] },
  ],
};

test('each form of the dashboard is known to the log', () => {
  const options = { apiKeys, sessionSecrets: secrets, ready: nothing, log: silent };
  const wrongKeys = new WrongKeys(api.served, silent);
  const { routes } = createDashboard({ processor: api.served, wrongKeys, ...options });
  const posted = routes.filter(({ method }) => method === 'POST').map(({ path }) => path);
  const changing = [...new Set(posted)].filter((path) => path !== '/sign-in' && path !== '/sign-out');
  expect(changing.sort()).toEqual(Object.keys(formsByRoute).sort());
  const recorded = Object.keys(formsByRoute).filter((path) => path !== '/dashboard/look');
  expect(Object.keys(scenarios).sort()).toEqual(recorded.sort());
});

test.each(Object.entries(scenarios))('%s leaves an entry', async (_, [prepare, path, fields, entry]) => {
  await prepare(api);
  const browser = await signedIn(api, 'admin');
  await browser.submit(path, fields);
  const who = { who: 'the-admin', role: 'admin', via: 'dashboard', address: '203.0.113.7' };
  expect((await api.processor.audit.list()).entries).toMatchObject([{ outcome: 'done', ...who, ...entry }]);
});

test('of ticked jobs, those that were changed are named, or all if none was', async () => {
  const browser = await signedIn(api, 'admin');
  await job(api);
  await browser.submit('/dashboard/jobs', { action: 'cancel', id: ['j', 'none'] });
  await browser.submit('/dashboard/jobs', { action: 'retry', id: ['none', 'neither'] });
  expect((await api.processor.audit.list()).entries).toMatchObject([
    { action: 'retryJob', targets: ['job:none', 'job:neither'], outcome: 'refused' },
    { action: 'cancelJob', targets: ['job:j'], count: 1, outcome: 'done' },
  ]);
});

test('a question whether one is sure, a form with mistakes and an unknown action leave none', async () => {
  const browser = await signedIn(api, 'admin');
  await item(api);
  await browser.submit('/dashboard/schedulers/tick/remove', {});
  await browser.submit('/dashboard/schedulers/tick', { version: '1', text: '{' });
  await browser.submit('/dashboard/limits', { action: 'drop', key: 'import' });
  expect((await api.processor.audit.list()).entries).toEqual([]);
  await browser.submit('/dashboard/schedulers/tick', { version: '7', text: JSON.stringify(tick) });
  expect((await api.processor.audit.list()).entries).toMatchObject([{ outcome: 'refused' }]);
});

test('the pages show what people did, and to the role admin the whole log', async () => {
  const browser = await signedIn(api, 'admin');
  await job(api);
  await browser.submit('/dashboard/jobs', { action: 'cancel', id: 'j' });
  await browser.submit('/dashboard/limits', { action: 'set', key: 'import=a', max: '7' });
  await browser.submit('/dashboard/limits', { action: 'set', key: 'import=a', max: '5' });

  const show = async (path: string, by = browser) => textOf(await (await by.get(path)).text());
  const reader = await signedIn(api, 'read');
  expect(await show('/dashboard/jobs/j', reader)).toMatch(/What people did Cancel job by the-admin (now|\d)/);
  expect(await show('/dashboard/limits/import%3Da')).toMatch(
    /Set limit by the-admin max: 7 → 5 .* See all of it/,
  );
  expect(await show('/dashboard/audit')).toMatch(
    /Set limit max: 7 → 5 limit:import=a the-admin \(admin\) dashboard, 203.0.113.7 .* Cancel job job:j/,
  );
  await browser.submit('/dashboard/queues', { action: 'pause', queue: 'mail' });
  expect(await show('/dashboard/queues')).toMatch(/mail 0 0 – paused (now|\d+ s ago) by the-admin/);
  expect(await show('/dashboard/audit?target=job:j')).not.toContain('Set limit');
  expect((await browser.get('/dashboard/audit?target=nothing')).status).toBe(422);
  expect((await reader.get('/dashboard/audit')).status).toBe(403);
  expect(await show('/dashboard/jobs', reader)).not.toContain('Audit');
});
