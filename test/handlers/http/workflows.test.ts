import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../src/index.js';
import { expectProblem, useApi } from './api.js';

const api = useApi();

/** Kinds of jobs for a workflow, one that only an admin may add, and a parent that waits for children. */
async function withKinds() {
  const extract = defineJob({
    name: 'extract',
    input: z.object({ day: z.string() }),
    output: z.object({ rows: z.array(z.number()) }),
    maxRetries: 1,
    run: ({ input }) => {
      if (input.day === 'never') throw new Error('no rows');
      return { rows: [1, 2] };
    },
  });
  const load = defineJob({
    name: 'load',
    input: z.object({ rows: z.array(z.number()) }),
    output: z.number(),
    run: ({ input }) => input.rows.length,
  });
  const guarded = defineJob({ name: 'guarded', addRole: 'admin', run: () => {} });
  const parent = defineJob({
    name: 'parent',
    maxRetries: 1,
    run: async ({ step }) => {
      await step.fanOut('children', extract, [{ day: 'monday' }, { day: 'never' }]);
    },
  });
  for (const processor of [api.processor, api.served])
    await processor.addJobFactories([extract, load, guarded, parent]);
}

const nightly = (day: string) => ({
  id: 'nightly',
  jobs: {
    extract: { name: 'extract', input: { day } },
    load: { name: 'load', input: { rows: { $resultOf: 'extract', path: 'rows' } } },
  },
});

test('a workflow runs its jobs after each other, and its results are read by their names', async () => {
  await withKinds();
  const added = await api.call('/v1/workflows', { body: nightly('monday') });
  expect([added.status, added.headers.get('location')]).toEqual([202, '/v1/workflows/nightly']);
  expect(await (await api.call('/v1/jobs/nightly.load')).json()).toMatchObject({
    group: { kind: 'workflow', id: 'nightly' },
    waitsFor: [{ kind: 'job', id: 'nightly.extract', when: 'completed' }],
  });
  expect(await (await api.call('/v1/workflows/nightly')).json()).toMatchObject({
    status: 'running',
    jobs: [
      { name: 'extract', status: 'queued', isWaiting: false },
      { name: 'load', after: ['extract'], isWaiting: true },
    ],
  });
  await api.processor.drain();
  expect(await (await api.call('/v1/workflows/nightly/results')).json()).toMatchObject({
    results: [
      { name: 'extract', id: 'nightly.extract', output: { rows: [1, 2] } },
      { name: 'load', status: 'completed', output: 2 },
    ],
    cursor: null,
  });
});

test('circles, unknown names and results that do not fit are refused with their paths', async () => {
  await withKinds();
  const refused = async (jobs: unknown, code = 'validation_failed') => {
    const { issues } = await expectProblem(await api.call('/v1/workflows', { body: { jobs } }), 422, code);
    return issues.map(({ path }) => path);
  };
  const extract = { name: 'extract', input: { day: 'monday' } };
  const rows = { $resultOf: 'extract' };
  expect(await refused({ a: { ...extract, after: ['b'] }, b: { ...extract, after: ['a'] } })).toEqual([
    'jobs.a.after',
  ]);
  expect(await refused({ extract, load: { name: 'load', input: { rows } } })).toEqual([
    'jobs.load.input.rows',
  ]);
  expect(await refused({ extract, b: { ...extract, options: { id: 'x' } } })).toEqual(['jobs.b.options.id']);
  expect(await refused({ extract, b: { name: 'nobody' } }, 'unknown_job_name')).toEqual(['jobs.b.name']);
  expect(await refused({})).toEqual(['jobs']);
  expect(await refused({ 'a b': extract })).toEqual(['jobs.a b']);
  expect(await refused(JSON.parse('{"__proto__": {}, "a": { "name": "extract" }}'))).toContain(
    'jobs.__proto__',
  );
  expect(await api.storedJobs()).toBe(0);
});

test('jobs that only an admin may add are refused, and when they are retried', async () => {
  await withKinds();
  const body = { id: 'w', jobs: { one: { name: 'guarded' } } };
  await expectProblem(await api.call('/v1/workflows', { body }), 403, 'forbidden');
  expect(await api.storedJobs()).toBe(0);

  await api.call('/v1/workflows', { body, key: 'key-of-admin' });
  expect(await (await api.call('/v1/workflows/w/cancel', { method: 'POST' })).json()).toEqual({
    id: 'w',
    changed: 1,
  });
  await expectProblem(await api.call('/v1/workflows/w/retry', { method: 'POST' }), 403, 'forbidden');
});

test('a failed workflow is retried, and removed once it has ended', async () => {
  await withKinds();
  await api.call('/v1/workflows', { body: nightly('never') });
  await api.processor.drain();
  const remove = { method: 'DELETE', key: 'key-of-admin' };
  await expectProblem(await api.call('/v1/workflows/nightly', remove), 409, 'conflict');
  expect(await (await api.call('/v1/workflows/nightly/retry', { method: 'POST' })).json()).toEqual({
    id: 'nightly',
    changed: 1,
  });
  await api.call('/v1/workflows/nightly/cancel', { method: 'POST' });
  expect((await api.call('/v1/workflows/nightly', remove)).status).toBe(204);
  expect(await api.storedJobs()).toBe(0);
});

test('the children of a job are listed, and the job says which it waits for', async () => {
  await withKinds();
  await api.processor.addJob('parent', undefined, { id: 'p' });
  await api.processor.processNextJob();
  const waiting = await (await api.call('/v1/jobs/p')).json();
  const { steps } = z
    .object({ steps: z.object({ waits: z.array(z.object({ group: z.object({ id: z.string() }) })) }) })
    .parse(waiting);
  const group = { kind: 'children', id: steps.waits[0]?.group.id };
  await api.processor.drain();

  expect(await (await api.call('/v1/jobs/p/children')).json()).toMatchObject({
    jobs: [{ status: 'completed', parents: ['p'], group }, { status: 'error' }],
    cursor: null,
  });
  expect(await (await api.call('/v1/jobs/p/children?status=error')).json()).toMatchObject({
    jobs: [{ errors: [{ message: 'no rows' }], leftOut: ['input', 'output', 'progress'] }],
  });
  await expectProblem(await api.call('/v1/jobs/nobody/children'), 404, 'not_found');
});
