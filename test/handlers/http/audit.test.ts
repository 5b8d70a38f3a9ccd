import { expect, test } from 'vitest';
import { expectProblem, jobOf, useApi } from './api.js';

const api = useApi();
const admin = { key: 'key-of-admin' };
const tick = { id: 'tick', type: 'Delay', delay: '1h', jobName: 'echo', input: { secret: 's3cret' } };

async function entries() {
  return (await api.processor.audit.list()).entries;
}

test('the log tells who did what from where, and for limits what was before', async () => {
  await api.call('/v1/limits/import=a%2Fb', { ...admin, method: 'PATCH', body: { max: 3 } });
  await api.call('/v1/limits/import=a%2Fb', { ...admin, method: 'PATCH', body: { max: 5 } });

  const answer = await api.call('/v1/audit?target=limit:import%3Da%2Fb&who=the-admin&limit=1', admin);

  expect(await answer.json()).toEqual({
    entries: [
      {
        ...{ id: expect.any(String), at: expect.any(String), who: 'the-admin', role: 'admin', via: 'api' },
        ...{ address: '127.0.0.1', action: 'setLimit', targets: ['limit:import=a/b'], count: 1 },
        changes: [{ field: 'max', before: '3', after: '5' }],
        ...{ outcome: 'done', problem: null },
      },
    ],
    cursor: expect.any(String),
  });
});

test('of a schedule it tells which fields were changed, and never its input', async () => {
  await api.call('/v1/schedulers', { body: tick });
  const changes = { delay: '2h', input: { secret: 'another' }, active: true };
  await api.call('/v1/schedulers/tick', { method: 'PATCH', body: changes });
  await api.call('/v1/schedulers/tick', { ...admin, method: 'DELETE' });

  const [removed, updated, added] = await entries();
  expect(added).toMatchObject({ action: 'addScheduler', targets: ['schedule:tick'] });
  expect(added?.changes).toContainEqual({ field: 'delay', after: '3600000' });
  expect(updated?.changes).toEqual([
    { field: 'input' },
    { field: 'active', before: 'false', after: 'true' },
    { field: 'delay', before: '3600000', after: '7200000' },
  ]);
  expect(removed?.changes).toContainEqual({ field: 'delay', before: '7200000' });
  expect(JSON.stringify(await entries())).not.toMatch(/s3cret|another/);
});

test('it tells what was refused, but neither bad input nor what a repeated request gets again', async () => {
  await expectProblem(await api.call('/v1/queues/mail/pause', { method: 'POST' }), 403, 'forbidden');
  await expectProblem(await api.call('/v1/jobs/none/retry', { method: 'POST' }), 404, 'not_found');
  await api.call('/v1/limits/import', { ...admin, method: 'PATCH', body: { max: -1 } });
  await api.processor.addJob('echo', {}, { id: 'j', delay: '1h' });
  const signal = { body: {}, headers: { 'idempotency-key': 'once' } };
  for (let times = 0; times < 2; times += 1) await api.call('/v1/jobs/j/signals/paid', signal);

  expect(await entries()).toMatchObject([
    {
      action: 'sendSignal',
      targets: ['job:j'],
      changes: [{ field: 'name', after: 'paid' }],
      outcome: 'done',
    },
    { action: 'retryJob', targets: ['job:none'], outcome: 'refused', problem: 'not_found' },
    {
      action: 'pauseQueue',
      who: 'the-write',
      targets: ['queue:mail'],
      outcome: 'refused',
      problem: 'forbidden',
    },
  ]);
});

test('an operation is one entry with what it does, and an extra run names its schedule and its job', async () => {
  await api.call('/v1/operations', { body: { action: 'retry', filter: { jobName: 'failing' } } });
  await api.call('/v1/schedulers', { body: tick });
  const run = await api.call('/v1/schedulers/tick/run', { method: 'POST' });
  const removed = await api.call('/v1/jobs?status=error&olderThan=1d', { ...admin, method: 'DELETE' });

  const { id } = await jobOf(run);
  expect(removed.status).toBe(200);
  const [removal, ran, , started] = await entries();
  expect(removal).toMatchObject({ action: 'removeJobs', targets: [], count: 0 });
  expect(removal?.changes).toEqual([
    { field: 'status', after: 'error' },
    { field: 'olderThan', after: '1d' },
  ]);
  expect(ran?.targets).toEqual(['schedule:tick', `job:${id}`]);
  expect(started?.targets).toEqual([expect.stringMatching(/^operation:[0-9a-f]{24}$/)]);
  expect(started?.changes).toContainEqual({ field: 'jobName', after: 'failing' });
});

test('a changed job shows what was changed, and jobs that programs add are left out', async () => {
  await api.call('/v1/jobs', { body: { name: 'echo', input: {}, options: { id: 'j', delay: '1h' } } });
  expect(await entries()).toEqual([]);
  await api.call('/v1/jobs/j', { method: 'PATCH', body: { priority: 9 } });
  expect(await entries()).toMatchObject([
    { action: 'updateJob', targets: ['job:j'], changes: [{ field: 'priority', before: '0', after: '9' }] },
  ]);
});

test('a change stands if it cannot be recorded, and the entry is logged', async () => {
  const { audit } = api.database.collections();
  await audit.createIndex({ via: 1 }, { unique: true });
  for (const name of ['one', 'two']) {
    const paused = await api.call(`/v1/queues/${name}/pause`, { ...admin, method: 'POST' });
    expect(paused.status).toBe(200);
  }
  await audit.dropIndex('via_1');

  expect(await api.processor.queues.pausedSince('two')).toBeInstanceOf(Date);
  expect(await entries()).toHaveLength(1);
  expect(api.logged).toMatch(/"warn".*A change is missing in the audit log.*"targets":\["queue:two"\]/);
});

test('no request is such that the log leaves it out', async () => {
  const often = Array.from({ length: 120 }, () => 'status=error').join('&');
  const many = Array.from({ length: 120 }, (_, index) => `field${index}=1`).join('&');
  const removing = { method: 'DELETE' } as const;
  await api.call(`/v1/jobs?${often}`, { ...removing, ...admin });
  await api.call(`/v1/jobs/some?${many}`, removing);
  await api.call('/v1/jobs/some?=nameless&nul=%00', removing);
  await api.call(`/v1/jobs/${'l'.repeat(1_100)}`, removing);

  expect(await entries()).toMatchObject([
    { action: 'removeJob', outcome: 'refused', targets: [] },
    { action: 'removeJob', outcome: 'refused', changes: [] },
    { action: 'removeJob', outcome: 'refused', targets: ['job:some'] },
    { action: 'removeJobs', outcome: 'done', changes: [{ field: 'status', after: 'error' }] },
  ]);
});

test('only the role admin sees the log', async () => {
  await expectProblem(await api.call('/v1/audit'), 403, 'forbidden');
  await expectProblem(await api.call('/v1/audit?target=job', admin), 422, 'validation_failed');
});

test('a mark is named with its text, and one that is refused changes nothing', async () => {
  const mark = await (await api.call('/v1/marks', { body: { text: 'v42' } })).json();
  await expectProblem(
    await api.call('/v1/marks', { body: { text: 'v43', by: 'ann' } }),
    422,
    'validation_failed',
  );

  expect(mark).toMatchObject({ by: 'the-write' });
  expect(await entries()).toMatchObject([
    {
      ...{ action: 'addMark', who: 'the-write', outcome: 'done' },
      targets: [`mark:${Object(mark).id}`],
      changes: [{ field: 'text', after: 'v42' }],
    },
  ]);
});
