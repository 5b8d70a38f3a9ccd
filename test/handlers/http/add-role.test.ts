import { beforeEach, describe, expect, test } from 'vitest';
import { removeOldJobs } from '../../../handlers/jobs/remove-old-jobs.js';
import { defineJob } from '../../../src/index.js';
import { collectionNames } from '../../collection-names.js';
import { expectProblem, useApi } from './api.js';
import { type Browser, signedIn } from './browser.js';
import { textOf } from './dashboard/page-reader.js';

const api = useApi();
const admin = { key: 'key-of-admin' };
const wipe = { name: 'removeOldJobs', input: { olderThan: 0 } };
const item = { id: 'wipe', type: 'Delay', delay: '1h', jobName: wipe.name, input: wipe.input };
const items = () => api.database.db.collection(collectionNames.scheduler).find().toArray();
const jobs = () => api.database.db.collection(collectionNames.jobs).find().toArray();

/** Sent with a key of the role `write`; nothing is changed. */
async function expectRefused(path: string, body: unknown, method = 'POST') {
  const before = [await jobs(), await items()];
  const problem = await expectProblem(await api.call(path, { method, body }), 403, 'forbidden');
  expect(problem.detail).toContain(
    "The role 'admin' is required for jobs named 'removeOldJobs', not 'write'",
  );
  expect([await jobs(), await items()]).toEqual(before);
}

describe.each(['with the code of the job', 'without'])('an API %s', (kind) => {
  beforeEach(async () => {
    const owner = kind === 'without' ? api.database.processor() : api.processor;
    await owner.addJobFactory(removeOldJobs);
  });

  test('adds it for an admin only, alone or in a batch', async () => {
    await expectRefused('/v1/jobs', wipe);
    await expectRefused('/v1/jobs/batch', { jobs: [{ name: 'echo', input: {} }, wipe] });

    expect((await api.call('/v1/jobs', { ...admin, body: wipe })).status).toBe(202);
    expect((await api.call('/v1/jobs/batch', { ...admin, body: { jobs: [wipe] } })).status).toBe(202);
  });

  test('refuses it whatever else is wrong, and before an Idempotency-Key is used up', async () => {
    const headers = { 'idempotency-key': 'once' };
    await expectProblem(await api.call('/v1/jobs', { body: wipe, headers }), 403, 'forbidden');
    await expectRefused('/v1/jobs', { name: wipe.name, input: 'nonsense' });
    const again = await api.call('/v1/jobs', { body: { name: 'echo', input: {} }, headers });
    expect(again.status).toBe(202);
  });

  test('schedules it, and changes, starts and runs what an admin scheduled, for an admin only', async () => {
    await expectRefused('/v1/schedulers', item);
    expect((await api.call('/v1/schedulers', { ...admin, body: item })).status).toBe(201);

    await expectRefused('/v1/schedulers/wipe', { delay: '1s' }, 'PATCH');
    await expectRefused('/v1/schedulers/wipe', { jobName: 'echo', input: {} }, 'PATCH');
    await expectRefused('/v1/schedulers/wipe', { active: true }, 'PATCH');
    await expectRefused('/v1/schedulers/wipe/activate', undefined);
    await expectRefused('/v1/schedulers/wipe/run', undefined);
    for (const action of ['activate', 'run'])
      expect((await api.call(`/v1/schedulers/wipe/${action}`, { method: 'POST', ...admin })).ok).toBe(true);
    expect((await api.call('/v1/schedulers/wipe/deactivate', { method: 'POST' })).ok).toBe(true);
  });

  test('recomputes what an admin scheduled for an admin only, alone or with all that are active', async () => {
    await api.processor.addScheduler({ ...item, type: 'Delay', active: true });
    await expectRefused('/v1/schedulers/wipe/reschedule', undefined);

    await api.processor.addScheduler({
      ...item,
      type: 'Delay',
      id: 'harmless',
      jobName: 'echo',
      active: true,
    });
    const [before] = await items().then((all) => all.filter(({ _id }) => String(_id) === 'wipe'));
    const all = async (options = {}) =>
      (await api.call('/v1/schedulers/reschedule', { method: 'POST', ...options })).json();
    expect(await all()).toEqual({ rescheduled: 1 });
    expect(await items()).toContainEqual(before);

    expect((await api.call('/v1/schedulers/wipe/reschedule', { method: 'POST', ...admin })).ok).toBe(true);
    expect(await all(admin)).toEqual({ rescheduled: 2 });
  });

  test('makes no item of another job one of it, but for an admin', async () => {
    const harmless = { ...item, jobName: 'echo' };
    expect((await api.call('/v1/schedulers', { body: harmless })).status).toBe(201);

    await expectRefused('/v1/schedulers/wipe', { jobName: wipe.name }, 'PATCH');
    const body = { jobName: wipe.name };
    expect((await api.call('/v1/schedulers/wipe', { ...admin, method: 'PATCH', body })).ok).toBe(true);
  });

  test('changes and retries it for an admin only; anybody may cancel it', async () => {
    const id = await api.processor.addJob(wipe.name, wipe.input, { delay: '1h' });
    await expectRefused(`/v1/jobs/${id}`, { delay: 0 }, 'PATCH');
    expect((await api.call(`/v1/jobs/${id}/cancel`, { method: 'POST' })).status).toBe(200);

    await expectRefused(`/v1/jobs/${id}/retry`, undefined);
    expect((await api.call(`/v1/jobs/${id}/retry`, { method: 'POST', ...admin })).status).toBe(200);
  });

  test('tells who may add it', async () => {
    const shown = await (await api.call('/v1/job-factories/removeOldJobs')).json();
    expect(shown).toMatchObject({ addRole: 'admin', version: 1 });
    expect(await (await api.call('/v1/job-factories/echo')).json()).toMatchObject({ addRole: 'write' });
  });

  describe('in its dashboard', () => {
    let writer: Browser;
    let owner: Browser;
    beforeEach(async () => {
      writer = await signedIn(api, 'write');
      owner = await signedIn(api, 'admin');
    });
    const path = '/dashboard/job-factories/removeOldJobs';
    const fields = { [JSON.stringify(['input'])]: JSON.stringify(wipe.input), as: 'json' };

    test('has a form that is for an admin only', async () => {
      const page = await (await writer.get(path)).text();
      expect(textOf(page)).toContain('The role admin is needed to add it: yours is write.');
      expect(page).toMatch(/<button[^>]*class="primary"[^>]*disabled/);
      expect(textOf(await (await writer.get('/dashboard/job-factories')).text())).toContain(
        'added by the role admin only',
      );
      expect((await writer.submit(path, fields)).status).toBe(403);
      expect(await jobs()).toEqual([]);
      expect((await owner.submit(path, fields)).status).toBe(303);
      expect(await jobs()).toHaveLength(1);
    });

    test('schedules it, and acts on its schedules, for an admin only', async () => {
      const text = JSON.stringify(item);
      expect((await writer.submit('/dashboard/new-scheduler', { text })).status).toBe(403);
      await api.processor.addScheduler({ ...item, type: 'Delay' });
      const version = '1';
      const changed = JSON.stringify({ ...item, id: undefined, delay: '1s' });
      const of = '/dashboard/schedulers/wipe';
      expect((await writer.submit(of, { text: changed, version })).status).toBe(403);
      expect((await writer.submit(`${of}/activate`, {})).status).toBe(403);
      expect((await writer.submit(`${of}/run`, {})).status).toBe(403);
      for (const page of ['/dashboard/schedulers', of]) {
        const buttons = (html: string) => html.match(/<button[^>]*(Run now|Switch on)[^>]*>/g) ?? [];
        const isDisabled = (button: string) => button.includes('disabled');
        const shown = buttons(await (await writer.get(page)).text());
        expect(shown.map(isDisabled)).toEqual([true, true]);
        expect(buttons(await (await owner.get(page)).text()).map(isDisabled)).toEqual([false, false]);
      }
      expect(await items()).toMatchObject([{ active: false, version: 1 }]);
      expect((await owner.submit(`${of}/run`, {})).status).toBe(303);
    });

    test('retries it for an admin only', async () => {
      const id = await api.processor.addJob(wipe.name, wipe.input);
      await api.processor.cancelJob(id);
      const retry = { id, action: 'retry', from: 'job' };
      const page = await (await writer.get(`/dashboard/jobs/${id}`)).text();
      expect(page).toMatch(/<button[^>]*value="retry"[^>]*disabled/);
      await writer.submit('/dashboard/jobs', retry);
      expect(textOf(await (await writer.get(`/dashboard/jobs/${id}`)).text())).toContain(
        "Not done: The role 'admin' is required",
      );
      expect(await api.processor.getJobStatus(id)).toBe('cancelled');
      await owner.submit('/dashboard/jobs', retry);
      expect(await api.processor.getJobStatus(id)).toBe('queued');
    });
  });
});

test('code adds any job; on behalf of somebody, as far as he may', async () => {
  await api.processor.addJobFactory(removeOldJobs);
  await api.processor.addJob(removeOldJobs, { olderThan: '1d' });
  const refused = { code: 'forbidden', jobName: 'removeOldJobs', required: 'admin', held: 'write' };
  await expect(
    api.processor.addJob(removeOldJobs, { olderThan: '1d' }, { callerRole: 'write' }),
  ).rejects.toMatchObject(refused);
});

test('a factory that an earlier version stored, which says nothing, is for whoever may add jobs', async () => {
  const other = api.database.processor();
  await other.addJobFactory(defineJob({ name: 'old', addRole: 'admin', run: async () => null }));
  const stored = api.database.db.collection(collectionNames.jobFactories);
  await stored.updateMany({}, { $unset: { addRole: '', version: '' } });
  expect((await api.call('/v1/jobs', { body: { name: 'old' } })).status).toBe(202);
  expect(await (await api.call('/v1/job-factories/old')).json()).toMatchObject({
    addRole: 'write',
    version: 0,
  });
});

test('a role that this version does not know suffices for an admin only', async () => {
  const other = api.database.processor();
  await other.addJobFactory(defineJob({ name: 'newer', run: async () => null }));
  const stored = api.database.db.collection<{ _id: string }>(collectionNames.jobFactories);
  await stored.updateOne({ _id: 'newer' }, { $set: { addRole: 'owner' } });
  await expectProblem(await api.call('/v1/jobs', { body: { name: 'newer' } }), 403, 'forbidden');
  expect((await api.call('/v1/jobs', { ...admin, body: { name: 'newer' } })).status).toBe(202);
});

test('a definition with a role that may add no job at all is refused', () => {
  const define = (addRole: string) =>
    defineJob({ name: 'mine', run: async () => null, ...JSON.parse(JSON.stringify({ addRole })) });
  expect(() => define('read')).toThrow(/addRole: .*"write"\|"admin"/);
  expect(() => define('everybody')).toThrow('addRole');
});
