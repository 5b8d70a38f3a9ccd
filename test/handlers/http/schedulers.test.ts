import { expect, test } from 'vitest';
import { z } from 'zod';
import { collectionNames } from '../../collection-names.js';
import { expectProblem, jobOf, useApi } from './api.js';

const api = useApi();
const tick = { id: 'tick', type: 'Delay', delay: '1h', jobName: 'echo', input: { n: 1 } };
const weekly = { type: 'Cron', cron: '0 9 * * MON', timeZone: 'Europe/Zurich', jobName: 'echo', input: {} };
const items = () => api.database.db.collection(collectionNames.scheduler);
const post = (path: string, body?: unknown) => api.call(path, { method: 'POST', body });

const occurrencesSchema = z.strictObject({
  occurrences: z.array(z.strictObject({ at: z.iso.datetime(), local: z.string() })),
});

test('a scheduler item is added, and shows every member where Location says', async () => {
  const added = await post('/v1/schedulers', { ...weekly, id: 'a/b', active: true });

  expect(added.status).toBe(201);
  expect(added.headers.get('location')).toBe('/v1/schedulers/a%2Fb');
  const shown = await (await api.call('/v1/schedulers/a%2Fb')).json();
  expect(shown).toEqual(await added.json());
  expect(shown).toEqual({
    id: 'a/b',
    type: 'Cron',
    title: '',
    description: '',
    jobName: 'echo',
    input: {},
    timeField: null,
    jobOptions: null,
    active: true,
    ended: false,
    nextCallTime: expect.stringMatching(/T0[78]:00:00.000Z$/),
    lastCallTime: null,
    lastJobId: null,
    occurrences: 0,
    skipped: 0,
    timeZone: 'Europe/Zurich',
    catchUp: 'once',
    overlap: 'allow',
    jitter: null,
    startAt: null,
    endAt: null,
    maxOccurrences: null,
    cron: '0 9 * * MON',
    minute: null,
    hour: null,
    dayOfMonth: null,
    month: null,
    dayOfWeek: null,
    delay: null,
    at: null,
    declaredBy: null,
    version: 1,
    leftOut: [],
  });
});

test.each([
  [
    { type: 'Delay', delay: '90s' },
    { delay: 90_000, cron: null, minute: null, at: null },
  ],
  [
    { type: 'At', at: '2099-01-31T10:05:06+01:00' },
    { at: '2099-01-31T09:05:06.000Z', delay: null },
  ],
  [
    { type: 'Cron', minute: [0, 30] },
    { minute: [0, 30], hour: [], cron: null, delay: null },
  ],
])('an item of the type %j shows its own fields', async (own, shown) => {
  const added = await post('/v1/schedulers', { ...own, jobName: 'anything' });

  expect(await added.json()).toMatchObject(shown);
});

test('items are listed in the order of their ids', async () => {
  for (const id of ['b', 'a']) await post('/v1/schedulers', { ...tick, id });

  const listed = await (await api.call('/v1/schedulers')).json();

  expect(listed).toMatchObject({ schedulers: [{ id: 'a' }, { id: 'b' }] });
});

test.each([
  ['no type', { jobName: 'echo' }, ['type']],
  ['an unknown type', { ...tick, type: 'Daily' }, ['type']],
  ['a field of another type', { ...tick, cron: '@daily' }, ['cron']],
  ['a bad expression', { ...weekly, cron: '61 * * * *' }, ['cron']],
  ['both expression and lists', { ...weekly, minute: [1] }, ['cron']],
  ['a bad time zone', { ...tick, timeZone: 'Zurich' }, ['timeZone']],
  ['a short delay', { ...tick, delay: 10 }, ['delay']],
  ['an operator for the id', { ...tick, id: { $gt: '' } }, ['id']],
  ['an id without address', { ...tick, id: '.' }, ['id']],
  ['a bad input', { ...tick, input: [] }, ['input']],
  [
    '__proto__ in the input',
    '{"type":"Delay","delay":"1h","jobName":"echo","input":{"__proto__":1}}',
    ['input.__proto__'],
  ],
  ['an unknown member', { ...tick, enabled: true }, ['enabled']],
  [
    'an end before the start',
    { ...tick, startAt: '2026-02-01T00:00:00Z', endAt: '2026-01-01T00:00:00Z' },
    ['endAt'],
  ],
  ['an end in the past', { ...tick, endAt: '2000-01-01T00:00:00Z' }, ['endAt']],
])('an item with %s is refused with its path, and nothing is stored', async (_, body, paths) => {
  const problem = await expectProblem(await post('/v1/schedulers', body), 422, 'validation_failed');

  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
  expect(await items().countDocuments()).toBe(0);
});

test('an item of an unknown job is refused, and an id that is taken is a conflict', async () => {
  const ofNobody = { jobName: 'nobody' };
  const added = await post('/v1/schedulers', { ...tick, ...ofNobody });
  await post('/v1/schedulers', tick);
  const changed = await api.call('/v1/schedulers/tick', { method: 'PATCH', body: ofNobody });

  for (const response of [added, changed]) {
    const { issues } = await expectProblem(response, 422, 'unknown_job_name');
    expect(issues).toMatchObject([{ path: 'jobName' }]);
  }

  await expectProblem(await post('/v1/schedulers', tick), 409, 'conflict');
  expect(await items().countDocuments()).toBe(1);
});

test('an item is changed, and null takes away', async () => {
  await post('/v1/schedulers', { ...tick, title: 'The tick', maxOccurrences: 3 });

  const changed = await api.call('/v1/schedulers/tick', {
    method: 'PATCH',
    body: { delay: '2h', title: null, maxOccurrences: null, input: { n: 2 } },
  });

  expect(changed.status).toBe(200);
  expect(await changed.json()).toMatchObject({
    delay: 7_200_000,
    title: '',
    maxOccurrences: null,
    input: { n: 2 },
    version: 2,
  });
});

test('an input may be changed to null', async () => {
  await post('/v1/schedulers', { ...tick, jobName: 'anything' });

  await api.call('/v1/schedulers/tick', { method: 'PATCH', body: { input: null } });

  expect((await api.processor.getScheduler('tick'))?.input).toBeNull();
});

test.each([
  ['the id', { id: 'other' }, ['id']],
  ['what nobody knows', { nextCallTime: null }, ['nextCallTime']],
  ['the version', { version: 9 }, ['version']],
  ['the input to one that is refused', { input: [] }, ['input']],
  ['the delay to none', { delay: null }, ['delay']],
  ['the title to an operator', { title: { $set: 1 } }, ['title']],
  ['the type alone', { type: 'At' }, ['at']],
])('to change %s is refused with its path, and changes nothing', async (_, body, paths) => {
  await post('/v1/schedulers', tick);
  const before = await api.processor.getScheduler('tick');

  const response = await api.call('/v1/schedulers/tick', { method: 'PATCH', body });

  const problem = await expectProblem(response, 422, 'validation_failed');
  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
  expect(await api.processor.getScheduler('tick')).toEqual(before);
});

test('an item is switched on and off', async () => {
  await post('/v1/schedulers', tick);

  const on = await (await post('/v1/schedulers/tick/activate')).json();
  const off = await (await post('/v1/schedulers/tick/deactivate')).json();

  expect(on).toMatchObject({ active: true, nextCallTime: expect.any(String) });
  expect(off).toMatchObject({ active: false, nextCallTime: null });
});

test('an item is run at once, and the worker kicked', async () => {
  await post('/v1/schedulers', tick);

  const response = await post('/v1/schedulers/tick/run');

  expect(response.status).toBe(202);
  const { id, status } = await jobOf(response);
  expect(status).toBe('queued');
  expect(response.headers.get('location')).toBe(`/v1/jobs/${id}`);
  expect(await api.processor.getJob(id)).toMatchObject({ jobName: 'echo', input: { n: 1 } });
  expect(api.kicks).toBe(1);
});

test('next calls are computed again, of one item or of all', async () => {
  await post('/v1/schedulers', { ...tick, active: true });
  await post('/v1/schedulers', { ...tick, id: 'idle' });

  expect(await (await post('/v1/schedulers/tick/reschedule')).json()).toEqual({
    id: 'tick',
    nextCallTime: expect.any(String),
  });
  expect(await (await post('/v1/schedulers/idle/reschedule')).json()).toEqual({
    id: 'idle',
    nextCallTime: null,
  });
  expect(await (await post('/v1/schedulers/reschedule')).json()).toEqual({ rescheduled: 1 });
});

test('the occurrences of an item are shown, ten unless asked otherwise', async () => {
  await post('/v1/schedulers', { ...weekly, id: 'weekly' });

  const ten = occurrencesSchema.parse(await (await api.call('/v1/schedulers/weekly/preview')).json());
  const two = occurrencesSchema.parse(await (await api.call('/v1/schedulers/weekly/preview?count=2')).json());

  expect(ten.occurrences).toHaveLength(10);
  expect(two.occurrences).toEqual(ten.occurrences.slice(0, 2));
  expect(two.occurrences[0]?.local).toMatch(/T09:00:00(\.000)?\+0[12]:00$/);
});

test('what an item would do is shown to a reader, and nothing is stored', async () => {
  const response = await api.call('/v1/schedulers/preview', {
    key: 'key-of-read',
    body: { scheduler: { ...weekly, jobName: 'nobody' }, count: 3 },
  });

  expect(response.status).toBe(200);
  expect(occurrencesSchema.parse(await response.json()).occurrences).toHaveLength(3);
  expect(await items().countDocuments()).toBe(0);
});

test.each([
  [{}, ['scheduler']],
  [{ scheduler: 'tick' }, ['scheduler']],
  [{ scheduler: { ...weekly, cron: 'x' } }, ['scheduler.cron']],
  [{ scheduler: weekly, count: 0 }, ['count']],
  [{ scheduler: weekly, count: '3' }, ['count']],
])('a preview of %j is refused', async (body, paths) => {
  const problem = await expectProblem(await post('/v1/schedulers/preview', body), 422, 'validation_failed');

  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
});

test('an item is removed', async () => {
  await post('/v1/schedulers', tick);

  const response = await api.call('/v1/schedulers/tick', {
    method: 'DELETE',
    key: 'key-of-admin',
  });

  expect(response.status).toBe(204);
  expect(await response.text()).toBe('');
  expect(await items().countDocuments()).toBe(0);
});

test.each([
  ['GET', '/v1/schedulers/nobody'],
  ['PATCH', '/v1/schedulers/nobody'],
  ['DELETE', '/v1/schedulers/nobody'],
  ['POST', '/v1/schedulers/nobody/activate'],
  ['POST', '/v1/schedulers/nobody/deactivate'],
  ['POST', '/v1/schedulers/nobody/run'],
  ['POST', '/v1/schedulers/nobody/reschedule'],
  ['GET', '/v1/schedulers/nobody/preview'],
])('%s %s finds nothing', async (method, path) => {
  const body = method === 'PATCH' ? { body: { title: 'x' } } : {};
  const response = await api.call(path, { method, key: 'key-of-admin', ...body });

  await expectProblem(response, 404, 'not_found');
  expect(await api.storedJobs()).toBe(0);
});

test.each([
  ['POST', '/v1/schedulers'],
  ['PATCH', '/v1/schedulers/tick'],
  ['DELETE', '/v1/schedulers/tick'],
  ['POST', '/v1/schedulers/tick/activate'],
  ['POST', '/v1/schedulers/tick/run'],
  ['POST', '/v1/schedulers/reschedule'],
])('a reader may not %s %s', async (method, path) => {
  await post('/v1/schedulers', tick);

  await expectProblem(await api.call(path, { method, key: 'key-of-read' }), 403, 'forbidden');
  expect(await api.storedJobs()).toBe(0);
  expect((await api.processor.getScheduler('tick'))?.version).toBe(1);
});

test('who may write may not remove an item', async () => {
  await post('/v1/schedulers', tick);

  const response = await api.call('/v1/schedulers/tick', { method: 'DELETE', key: 'key-of-write' });

  await expectProblem(response, 403, 'forbidden');
  expect(await items().countDocuments()).toBe(1);
});
