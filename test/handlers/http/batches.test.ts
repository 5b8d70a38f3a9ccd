import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../src/index.js';
import { expectProblem, useApi } from './api.js';

const api = useApi();

const number = { name: 'number', input: 1 };

/** A kind of job that fails for negative numbers, and one that only an admin may add. */
async function withKinds() {
  const numbers = defineJob({
    name: 'number',
    input: z.number(),
    output: z.number(),
    maxRetries: 1,
    run: ({ input }) => {
      if (input < 0) throw new Error(`no ${input}`);
      return input;
    },
  });
  const guarded = defineJob({ name: 'guarded', addRole: 'admin', input: z.number(), run: () => {} });
  for (const processor of [api.processor, api.served]) await processor.addJobFactories([numbers, guarded]);
}

const batch = (inputs: readonly number[]) => ({
  id: 'import',
  jobs: inputs.map((input) => ({ ...number, input })),
  then: { ...number, input: 9 },
});
const nothingStored = async () =>
  expect([await api.storedJobs(), (await api.processor.batches.list()).batches]).toEqual([0, []]);

test('a batch is added, watched, and its results are read in pages', async () => {
  await withKinds();
  const added = await api.call('/v1/batches', { body: batch([1, -2, 3]) });
  expect([added.status, added.headers.get('location')]).toEqual([202, '/v1/batches/import']);
  expect(await added.json()).toEqual({ id: 'import', outcome: 'added' });
  expect(await (await api.call('/v1/jobs/import.then')).json()).toMatchObject({
    group: null,
    waitsFor: [{ kind: 'batch', id: 'import', when: 'completed' }],
  });
  expect(await (await api.call('/v1/jobs/import.000001')).json()).toMatchObject({
    group: { kind: 'batch', id: 'import' },
    waitsFor: null,
  });

  await api.processor.drain();

  expect(await (await api.call('/v1/batches/import')).json()).toMatchObject({
    ...{ status: 'failed', size: 3, completed: 2, failed: 1, open: 0 },
    then: { id: 'import.then', when: 'completed' },
  });
  const first = await (await api.call('/v1/batches/import/results?limit=2')).json();
  expect(first).toMatchObject({
    results: [
      { index: 0, id: 'import.000000', status: 'completed', output: 1, error: null },
      { index: 1, status: 'error', output: null, error: 'no -2' },
    ],
  });
  const rest = `/v1/batches/import/results?limit=2&cursor=${z.object({ cursor: z.string() }).parse(first).cursor}`;
  expect(await (await api.call(rest)).json()).toMatchObject({
    results: [{ index: 2, output: 3 }],
    cursor: null,
  });
  expect(await (await api.call('/v1/batches/import/results?status=error')).json()).toMatchObject({
    results: [{ index: 1 }],
    cursor: null,
  });
});

test('a batch is cancelled, retried and removed', async () => {
  await withKinds();
  await api.call('/v1/batches', { body: batch([1, 2]) });
  await expectProblem(
    await api.call('/v1/batches/import', { method: 'DELETE', key: 'key-of-admin' }),
    409,
    'conflict',
  );

  const cancelled = await api.call('/v1/batches/import/cancel', { method: 'POST' });
  expect(await cancelled.json()).toEqual({ id: 'import', changed: 2 });
  const retried = await api.call('/v1/batches/import/retry', { method: 'POST' });
  expect(await retried.json()).toEqual({ id: 'import', changed: 2 });
  expect(await api.processor.drain()).toMatchObject({ completed: 3 });

  await expectProblem(await api.call('/v1/batches/import', { method: 'DELETE' }), 403, 'forbidden');
  const removed = await api.call('/v1/batches/import', { method: 'DELETE', key: 'key-of-admin' });
  expect(removed.status).toBe(204);
  await nothingStored();
  await expectProblem(await api.call('/v1/batches/import'), 404, 'not_found');
});

test('what is wrong with a batch is told with its path, and nothing is stored', async () => {
  await withKinds();
  const refused = async (body: unknown, code = 'validation_failed') => {
    const { issues } = await expectProblem(await api.call('/v1/batches', { body }), 422, code);
    return issues.map(({ path }) => path);
  };
  expect(await refused({ jobs: [number, { ...number, input: 'x' }] })).toEqual(['jobs.1.input']);
  expect(await refused({ jobs: [number], then: { ...number, input: 'x' } })).toEqual(['then.input']);
  expect(await refused({ jobs: [number, { ...number, options: { id: 'x' } }] })).toEqual([
    'jobs.1.options.id',
  ]);
  expect(await refused({ jobs: [number], then: { ...number, options: { uniqueKey: 'x' } } })).toEqual([
    'then.options.uniqueKey',
  ]);
  expect(await refused({ jobs: [number], concurrency: 0, retention: { completed: 'x' } })).toEqual([
    'retention.completed',
    'concurrency',
  ]);
  expect(await refused({ jobs: [number, { name: 'nobody' }] }, 'unknown_job_name')).toEqual(['jobs.1.name']);
  expect(await refused({ jobs: [number], then: { name: 'nobody' } }, 'unknown_job_name')).toEqual([
    'then.name',
  ]);
  await nothingStored();
});

test('jobs that only an admin may add are refused in a batch, after it, and when they are retried', async () => {
  await withKinds();
  const guarded = { name: 'guarded', input: 1 };
  for (const body of [{ jobs: [number, guarded] }, { jobs: [number], then: guarded }])
    await expectProblem(await api.call('/v1/batches', { body }), 403, 'forbidden');
  await nothingStored();

  await api.call('/v1/batches', { body: { id: 'a', jobs: [number], then: guarded }, key: 'key-of-admin' });
  await api.call('/v1/batches/a/cancel', { method: 'POST' });
  await expectProblem(await api.call('/v1/batches/a/retry', { method: 'POST' }), 403, 'forbidden');
  expect(await api.processor.getJobStatus('a.then')).toBe('cancelled');
  expect((await api.call('/v1/batches/a/retry', { method: 'POST', key: 'key-of-admin' })).status).toBe(200);
});

test('the same Idempotency-Key adds one batch', async () => {
  await withKinds();
  const call = { body: { jobs: [number] }, headers: { 'idempotency-key': 'once' } };
  const first = await api.call('/v1/batches', call);
  const again = await api.call('/v1/batches', call);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(await again.json()).toEqual(await first.json());
  expect(await api.storedJobs()).toBe(1);
});

test('the same id with other jobs is a conflict, with the same it changes nothing', async () => {
  await withKinds();
  await api.call('/v1/batches', { body: batch([1]) });
  const kept = await api.call('/v1/batches', { body: batch([1]) });
  expect(await kept.json()).toEqual({ id: 'import', outcome: 'kept' });
  await expectProblem(await api.call('/v1/batches', { body: batch([2]) }), 409, 'conflict');
});
