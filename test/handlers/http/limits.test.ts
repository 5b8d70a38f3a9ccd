import { expect, test } from 'vitest';
import { z } from 'zod';
import { slowDown } from '../../../src/flow/reserve.js';
import { defineJob } from '../../../src/index.js';
import { expectProblem, useApi } from './api.js';

const api = useApi();
const admin = { method: 'POST', key: 'key-of-admin' };
const change = { method: 'PATCH', key: 'key-of-admin' };

const job = defineJob({
  name: 'import',
  input: z.object({ tenant: z.string() }),
  concurrency: { key: 'tenant', limit: 1 },
  run: async () => {},
});

/** For each tenant a job that runs, and some that wait. */
async function waiting(counts: Readonly<Record<string, number>>) {
  await api.processor.addJobFactory(job);
  for (const [tenant, count] of Object.entries(counts)) {
    const ids = Array.from({ length: count + 1 }, (_, n) => `${tenant}-${n}`);
    await api.processor.addJobs(ids.map((id) => ({ job, input: { tenant }, options: { id } })));
  }
  while (await api.processor.pullNextJob());
}

test('limits are listed with those first that most jobs wait for, and then those that are set', async () => {
  await waiting({ a: 1, b: 3, 'c/%': 2 });
  await api.processor.limits.pause('export=x');

  const listed = await (await api.call('/v1/limits?order=fullest')).json();

  const keys = z.object({ limits: z.array(z.object({ key: z.string() })) }).parse(listed).limits;
  expect(keys.map(({ key }) => key)).toEqual(['import=b', 'import=c/%', 'import=a', 'export=x']);
  expect(await (await api.call('/v1/limits?order=fullest&limit=1')).json()).toMatchObject({
    limits: [{ key: 'import=b', waiting: { count: 3 }, limit: 1, oldest: expect.stringMatching(/Z$/) }],
    cursor: null,
  });
  await expectProblem(await api.call('/v1/limits?order=fullest&cursor=ImEi'), 422, 'validation_failed');
});

test('a limit tells who holds its places, and what a person set', async () => {
  await waiting({ 'c/%': 1 });
  expect(await (await api.call('/v1/limits/import%3Dc%2F%25')).json()).toMatchObject({
    holders: [{ id: 'c/%-0' }],
    line: [{ id: 'c/%-1', jobName: 'import', queue: 'default' }],
  });

  const set = await api.call('/v1/limits/import%3Dc%2F%25', { ...change, body: { max: 2 } });

  expect(await set.json()).toEqual({ key: 'import=c/%', max: 2, paused: null });
  expect(api.kicks).toBe(1);
  expect(await (await api.call('/v1/limits/import%3Dc%2F%25')).json()).toMatchObject({
    taken: 2,
    limit: 1,
    max: 2,
    waiting: { count: 0 },
    holders: [
      { id: 'c/%-0', jobName: 'import', status: 'processing' },
      { id: 'c/%-1', jobName: 'import', status: 'queued' },
    ],
  });
});

test('a limit that nothing uses, and a rate limit, can be looked at', async () => {
  await slowDown(api.database.collections().limits, 'rate sync=a', 60_000);

  expect(await (await api.call('/v1/limits/import')).json()).toMatchObject({
    taken: 0,
    limit: null,
    line: [],
  });
  expect(await (await api.call('/v1/limits/rate%20sync%3Da')).json()).toMatchObject({
    key: 'rate sync=a',
    slowedUntil: expect.stringMatching(/Z$/),
  });
});

test('a limit is paused and resumed', async () => {
  const paused = await api.call('/v1/limits/import%3Da/pause', admin);

  expect(await paused.json()).toEqual({ key: 'import=a', max: null, paused: expect.stringMatching(/Z$/) });
  const resumed = await api.call('/v1/limits/import%3Da/resume', admin);
  expect(await resumed.json()).toEqual({ key: 'import=a', max: null, paused: null });
});

test.each([
  ['', 'PATCH'],
  ['/pause', 'POST'],
  ['/resume', 'POST'],
])('only an admin may call %s', async (what, method) => {
  const body = method === 'PATCH' ? { max: 1 } : undefined;
  await expectProblem(await api.call(`/v1/limits/import${what}`, { method, body }), 403, 'forbidden');
  expect(await api.database.collections().limits.countDocuments()).toBe(0);
});

test.each([
  ['rate%20sync', { max: 1 }, 'key'],
  ['import=', { max: 1 }, 'key'],
  ['import', { max: 0 }, 'max'],
  ['import', {}, 'max'],
  ['import', { max: 1, paused: true }, 'paused'],
])('the limit %s with %j is refused', async (key, body, path) => {
  const response = await api.call(`/v1/limits/${key}`, { ...change, body });

  const { issues } = await expectProblem(response, 422, 'validation_failed');
  expect(issues).toMatchObject([{ path }]);
  expect(await api.database.collections().limits.countDocuments()).toBe(0);
});

const charge = defineJob({
  name: 'charge',
  circuitBreaker: { failures: 1, within: '1m', pause: '1m' },
  run: () => Promise.reject(new Error('The bank is down.')),
});

test('an open circuit breaker is listed, and closed as a limit is resumed', async () => {
  await api.processor.addJobFactory(charge);
  await api.processor.addJob(charge);
  await api.processor.processNextJob();
  expect(await (await api.call('/v1/limits?order=fullest')).json()).toMatchObject({
    limits: [{ key: 'breaker charge', breaker: { state: 'open', openUntil: expect.stringMatching(/Z$/) } }],
  });

  const closed = await api.call('/v1/limits/breaker%20charge/resume', admin);

  expect(await closed.json()).toEqual({ key: 'breaker charge', max: null, paused: null });
  expect(await (await api.call('/v1/limits')).json()).toMatchObject({ limits: [] });
  await expectProblem(await api.call('/v1/limits/breaker%20charge/pause', admin), 422, 'validation_failed');
});

test.each([
  ['/v1/jobs', { name: 'event', input: {}, options: { priority: 3 } }, 'options.priority'],
  ['/v1/jobs/batch', { jobs: [{ name: 'event', input: {}, options: { delay: 9 } }] }, 'jobs.0.options.delay'],
])('%s says which option a job in strict order cannot have', async (path, body, field) => {
  await api.processor.addJobFactory(
    defineJob({ name: 'event', input: z.object({}), ordering: {}, run: async () => {} }),
  );
  const problem = await expectProblem(await api.call(path, { body }), 422, 'validation_failed');
  expect(problem).toMatchObject({ issues: [{ path: field }] });
});
