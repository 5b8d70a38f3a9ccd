import { expect, test } from 'vitest';
import { expectProblem, idsOf, jobOf, useApi } from './api.js';

const api = useApi();
const admin = { key: 'key-of-admin' };
const echo = { name: 'echo', input: {} };

test('a batch is added in its order, and the worker kicked once', async () => {
  const jobs = [
    { name: 'echo', input: { n: 1 } },
    { name: 'anything', options: { id: 'mine', priority: 3 } },
    { name: 'echo', input: { n: 3 }, options: { delay: '1h' } },
  ];

  const response = await api.call('/v1/jobs/batch', { body: { jobs } });

  expect(response.status).toBe(202);
  const stored = await Promise.all((await idsOf(response)).map((id) => api.processor.getJob(id)));
  expect(stored).toMatchObject([{ input: { n: 1 } }, { id: 'mine', priority: 3 }, { input: { n: 3 } }]);
  expect(api.kicks).toBe(1);
});

test('a batch that can only run later kicks nobody', async () => {
  await api.call('/v1/jobs/batch', { body: { jobs: [{ ...echo, options: { delay: '1h' } }] } });

  expect(api.kicks).toBe(0);
});

test('a batch of 1000 is added, one of 1001 refused', async () => {
  const jobs = Array.from({ length: 1000 }, () => echo);
  expect((await api.call('/v1/jobs/batch', { body: { jobs } })).status).toBe(202);
  const tooMany = await api.call('/v1/jobs/batch', { body: { jobs: [...jobs, echo] } });

  const problem = await expectProblem(tooMany, 422, 'validation_failed');
  expect(problem.issues).toMatchObject([{ path: 'jobs' }]);
  expect(await api.storedJobs()).toBe(1000);
});

test.each([
  ['no list', {}, ['jobs']],
  ['an empty list', { jobs: [] }, ['jobs']],
  ['an operator', { jobs: { $gt: '' } }, ['jobs']],
  ['a text in the list', { jobs: ['echo'] }, ['jobs.0']],
  ['an unknown member', { jobs: [echo], atomic: true }, ['atomic']],
  ['an unknown member of a job', { jobs: [echo, { ...echo, queue: 'x' }] }, ['jobs.1.queue']],
  ['a bad option', { jobs: [echo, { ...echo, options: { delay: 'soon' } }] }, ['jobs.1.options.delay']],
  ['an id without address', { jobs: [{ ...echo, options: { id: '..' } }] }, ['jobs.0.options.id']],
  [
    'two bad inputs',
    { jobs: [{ ...echo, input: 1 }, echo, { ...echo, input: 2 }] },
    ['jobs.0.input', 'jobs.2.input'],
  ],
])('a batch with %s is refused with its paths, and nothing is stored', async (_, body, paths) => {
  const problem = await expectProblem(await api.call('/v1/jobs/batch', { body }), 422, 'validation_failed');

  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
  expect(await api.storedJobs()).toBe(0);
  expect(api.kicks).toBe(0);
});

test('an unknown name in a batch is refused with its place, and nothing is stored', async () => {
  const response = await api.call('/v1/jobs/batch', { body: { jobs: [echo, { name: 'nobody' }] } });

  const problem = await expectProblem(response, 422, 'unknown_job_name');
  expect(problem.issues).toMatchObject([{ path: 'jobs.1.name' }]);
  expect(await api.storedJobs()).toBe(0);
});

test('a queued job is changed, and shown as it is then', async () => {
  const id = await api.processor.addJob('echo', {}, { delay: '1h' });

  const response = await api.call(`/v1/jobs/${id}`, {
    method: 'PATCH',
    body: { priority: 7, queue: 'mail', maxRetries: 5, retryDelay: '2s', runAt: '2099-01-31T09:05:06Z' },
  });

  expect(response.status).toBe(200);
  expect(await jobOf(response)).toMatchObject({
    id,
    priority: 7,
    queue: 'mail',
    maxRetries: 5,
    retryDelay: 2000,
    runAt: '2099-01-31T09:05:06.000Z',
  });
  expect(api.kicks).toBe(0);
});

test('a job that is changed to run at once kicks the worker', async () => {
  const id = await api.processor.addJob('echo', {}, { delay: '1h' });

  await api.call(`/v1/jobs/${id}`, { method: 'PATCH', body: { delay: 0 } });

  expect(api.kicks).toBe(1);
});

test.each([
  ['nothing', {}, ['']],
  ['the input', { input: {} }, ['input', '']],
  ['the status', { status: 'completed' }, ['status', '']],
  ['an expression for the queue', { queue: { $literal: 1 } }, ['queue']],
  ['both moments', { runAt: '2099-01-31T09:05:06Z', delay: 1 }, ['']],
  ['a bad priority', { priority: '9' }, ['priority']],
])('to change %s of a job is refused', async (_, body, paths) => {
  const id = await api.processor.addJob('echo', {}, { delay: '1h' });
  const before = await api.processor.getJob(id);

  const response = await api.call(`/v1/jobs/${id}`, { method: 'PATCH', body });

  const problem = await expectProblem(response, 422, 'validation_failed');
  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
  expect(await api.processor.getJob(id)).toEqual(before);
});

test('a queue whose name is an expression is only a name', async () => {
  const id = await api.processor.addJob('echo', {});

  const response = await api.call(`/v1/jobs/${id}`, { method: 'PATCH', body: { queue: '$status' } });

  expect(await jobOf(response)).toMatchObject({ queue: '$status' });
});

test('only a queued job can be changed', async () => {
  const id = await api.processor.addJob('echo', {});
  await api.processor.processJobs();
  const patch = (path: string) => api.call(path, { method: 'PATCH', body: { priority: 1 } });

  await expectProblem(await patch(`/v1/jobs/${id}`), 409, 'conflict');
  await expectProblem(await patch('/v1/jobs/nothing'), 404, 'not_found');
});

test('a job that failed is queued again, and the worker kicked', async () => {
  const id = await api.processor.addJob('failing');
  await api.processor.processJobs();

  const response = await api.call(`/v1/jobs/${id}/retry`, { method: 'POST' });

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ id, status: 'queued' });
  expect(await api.processor.getJobStatus(id)).toBe('queued');
  expect(api.kicks).toBe(1);
});

test('a job that is completed is not queued again', async () => {
  const id = await api.processor.addJob('echo', {});
  await api.processor.processJobs();
  const retry = (path: string) => api.call(path, { method: 'POST' });

  await expectProblem(await retry(`/v1/jobs/${id}/retry`), 409, 'conflict');
  await expectProblem(await retry('/v1/jobs/nothing/retry'), 404, 'not_found');
  expect(api.kicks).toBe(0);
});

test('settled jobs are removed by their status and age', async () => {
  await api.processor.addJob('echo', {});
  await api.processor.addJob('failing');
  await api.processor.processJobs();
  await api.processor.addJob('echo', {});
  const remove = (query: string) => api.call(`/v1/jobs?${query}`, { ...admin, method: 'DELETE' });

  expect(await (await remove('status=completed&status=error&olderThan=1h')).json()).toEqual({
    removed: { completed: 0, error: 0 },
    more: false,
  });
  expect(await (await remove('status=completed')).json()).toEqual({ removed: { completed: 1 }, more: false });
  expect(await (await remove('status=error&status=cancelled&olderThan=0s')).json()).toEqual({
    removed: { error: 1, cancelled: 0 },
    more: false,
  });
  expect(await api.storedJobs()).toBe(1);
});

test.each([
  ['', ['status']],
  ['status=', ['status']],
  ['status=queued', ['status']],
  ['status=completed&status=processing', ['status']],
  ['status[]=completed', ['status[]', 'status']],
  ['status[$ne]=x', ['status[$ne]', 'status']],
  ['status=completed&olderThan=7.5', ['olderThan']],
  ['status=completed&olderThan=-7d', ['olderThan']],
  ['status=completed&olderThan=1d&olderThan=2d', ['olderThan']],
  ['status=completed&all=true', ['all']],
  ['status=queued&olderThan=soon&all=true', ['all', 'status', 'olderThan']],
])('to remove by %j is refused, and nothing is removed', async (query, paths) => {
  await api.processor.addJob('echo', {});
  await api.processor.processJobs();

  const response = await api.call(`/v1/jobs?${query}`, { ...admin, method: 'DELETE' });

  const problem = await expectProblem(response, 422, 'validation_failed');
  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
  expect(await api.storedJobs()).toBe(1);
});

test('one settled job is removed; one that is not settled, and one that is not there, are not', async () => {
  const id = await api.processor.addJob('echo', {});
  const remove = () => api.call(`/v1/jobs/${id}`, { ...admin, method: 'DELETE' });

  const problem = await expectProblem(await remove(), 409, 'conflict');
  expect(problem.detail).toContain('cancel it first');
  expect(await api.storedJobs()).toBe(1);
  await api.processor.processJobs();
  expect((await remove()).status).toBe(204);
  expect(await api.storedJobs()).toBe(0);
  await expectProblem(await remove(), 404, 'not_found');
});

test('an age in digits alone is milliseconds', async () => {
  await api.processor.addJob('echo', {});
  await api.processor.processJobs();
  const remove = (age: number) =>
    api.call(`/v1/jobs?status=completed&olderThan=${age}`, { ...admin, method: 'DELETE' });

  expect(await (await remove(3_600_000)).json()).toEqual({ removed: { completed: 0 }, more: false });
  expect(await (await remove(0)).json()).toEqual({ removed: { completed: 1 }, more: false });
});

test('only an admin removes jobs', async () => {
  const id = await api.processor.addJob('echo', {});
  await api.processor.processJobs();

  for (const path of ['/v1/jobs?status=completed', `/v1/jobs/${id}`])
    await expectProblem(await api.call(path, { method: 'DELETE' }), 403, 'forbidden');
  expect(await api.storedJobs()).toBe(1);
});
