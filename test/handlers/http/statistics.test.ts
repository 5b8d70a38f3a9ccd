import { expect, test } from 'vitest';
import { z } from 'zod';
import { expectProblem, useApi } from './api.js';

const api = useApi();
const statisticsSchema = z.object({
  statistics: z.array(z.looseObject({ at: z.iso.datetime(), completed: z.int(), errors: z.int() })),
});

async function statistics(query = '') {
  const response = await api.call(`/v1/statistics${query}`, { key: 'key-of-read' });
  return statisticsSchema.parse(await response.json()).statistics;
}

test('jobs are counted by their status', async () => {
  await api.processor.addJob('echo', {});
  await api.processor.processJobs();
  await api.processor.addJob('echo', {});

  const counts = await (await api.call('/v1/counts', { key: 'key-of-read' })).json();

  const none = { count: 0, isCapped: false };
  const one = { count: 1, isCapped: false };
  expect(counts).toEqual({
    counts: { queued: one, processing: none, cancelled: none, completed: one, error: none },
  });
});

test('what ended is told step by step, an hour by minutes unless asked otherwise', async () => {
  await api.processor.addJob('echo', {});
  await api.processor.addJob('failing');
  await api.processor.drain();

  const minutes = await statistics();
  const hours = await statistics('?since=3h&step=1h');
  const inMilliseconds = await statistics('?since=10800000&step=3600000');
  const ofEcho = await statistics('?since=3h&step=1h&name=echo');

  expect([minutes.length, hours.length, inMilliseconds.length]).toEqual([60, 3, 3]);
  for (const points of [minutes, hours]) expect(sumOf(points)).toEqual({ completed: 1, errors: 1 });
  expect(sumOf(ofEcho)).toEqual({ completed: 1, errors: 0 });
});

function sumOf(points: readonly { completed: number; errors: number }[]) {
  const sum = { completed: 0, errors: 0 };
  for (const { completed, errors } of points) {
    sum.completed += completed;
    sum.errors += errors;
  }
  return sum;
}

test.each([
  ['since=1', ['since']],
  ['since=1s', ['since']],
  ['since=9d', ['since']],
  ['step=90s', ['step']],
  ['step=0s', ['step']],
  ['since=soon&step=later', ['since', 'step']],
  ['since=1h&since=2h', ['since']],
  ['name=', ['name']],
  ['name=a%20b', ['name']],
  ['since=60000.5', ['since']],
  ['since=soon&nobody=1', ['nobody', 'since']],
  ['name[$ne]=x', ['name[$ne]']],
])('statistics by %s are refused with their paths', async (query, paths) => {
  const problem = await expectProblem(await api.call(`/v1/statistics?${query}`), 422, 'validation_failed');

  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
});

test('kinds are told with what failed and how long it took, the worst first, and marks stand beside them', async () => {
  await api.processor.addJobs([{ name: 'echo', input: {} }, { name: 'failing' }]);
  await api.processor.drain();

  const kinds = await (await api.call('/v1/kinds?range=24h&limit=1', { key: 'key-of-read' })).json();
  const echo = await (await api.call('/v1/kinds/echo?range=7d', { key: 'key-of-read' })).json();
  const unknown = await (await api.call('/v1/kinds/nobody')).json();

  const run = { count: 1, p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) };
  expect(kinds).toMatchObject({ kinds: [{ jobName: 'failing', failureRate: 1, run }], kindCount: 2 });
  expect(echo).toMatchObject({ jobName: 'echo', range: '7d', sum: { completed: 1 }, run, wait: run });
  expect(echo).toHaveProperty('points.length', 56);
  expect(unknown).toMatchObject({ sum: { completed: 0 }, run: null, wait: null });
  expect(sumOf(await statistics('?range=24h'))).toEqual({ completed: 1, errors: 1 });
  expect(sumOf(await statistics('?range=6h&name=echo'))).toEqual({ completed: 1, errors: 0 });

  const added = await api.call('/v1/marks', { key: 'key-of-write', body: { text: 'v42' } });
  expect([added.status, await added.json()]).toEqual([
    201,
    { id: expect.any(String), at: expect.any(String), text: 'v42', by: 'the-write' },
  ]);
  expect(await (await api.call('/v1/marks', { key: 'key-of-read' })).json()).toMatchObject({
    marks: [{ text: 'v42', by: 'the-write' }],
    cursor: null,
  });
  await expectProblem(
    await api.call('/v1/marks', { key: 'key-of-read', body: { text: 'v43' } }),
    403,
    'forbidden',
  );
});

test.each([
  ['statistics?range=2h', ['range']],
  ['statistics?range=1h&since=1h&step=1m', ['since', 'step']],
  ['kinds?range=1', ['range']],
  ['kinds?limit=1001', ['limit']],
  ['kinds/a%20b', ['name']],
])('%s is refused with its paths', async (path, paths) => {
  const problem = await expectProblem(await api.call(`/v1/${path}`), 422, 'validation_failed');

  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
});
