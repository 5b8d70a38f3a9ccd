import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

const load = defineJob({
  name: 'load',
  input: z.number(),
  maxRetries: 1,
  run: ({ input }) => {
    if (input < 0) throw new Error(`no ${input}`);
  },
});
const parent = defineJob({
  name: 'parent',
  maxRetries: 1,
  run: async ({ step }) => {
    await step.fanOut('all', load, [1, -1]);
  },
});

async function withKinds() {
  const processor = database.processor();
  await processor.addJobFactories([load, parent]);
  return processor;
}

const one = { job: load, input: 1 };

test('batches are listed, shown with what failed, retried, cancelled and removed', async () => {
  const processor = await withKinds();
  expect((await run(['batches'])).out).toBe('There are no batches.\n');
  await processor.addBatch([one, { ...one, input: -1 }], { id: 'import', then: one });
  await processor.drain();

  expect((await run(['batches'])).out).toMatch(/\nimport +failed +1 of 2, 1 failed /);
  const shown = await run(['batches', 'show', 'import']);
  expect(shown.out).toMatch(/\nstatus +failed\nprogress +█{10}░{10} 50% 1 of 2, 1 failed\n/);
  expect(shown.out).toMatch(/\nthen +import\.then\nimport\.000001 {2}no -1\n$/);
  expect(await json(['batches', 'show', 'import'])).toMatchObject({ id: 'import', size: 2, failed: 1 });
  expect((await run(['list'])).out).toMatch(/import\.then .*waits for batch import\n/);
  expect((await run(['get', 'import.then'])).out).toMatch(/\nwaits for +batch import\n/);

  expect((await run(['batches', 'retry', 'import'])).out).toBe('import: 1 job is queued again\n');
  expect(await run(['batches', 'remove', 'import', '--yes'])).toMatchObject({ code: 1 });
  expect(await json(['batches', 'cancel', 'import'])).toEqual({ id: 'import', changed: 1 });
  expect(await run(['batches', 'remove', 'import'])).toMatchObject({ code: 2 });
  expect((await run(['batches', 'remove', 'import', '--yes'])).out).toBe('import is removed\n');
  expect(await run(['batches', 'show', 'import'])).toMatchObject({ code: 3 });
});

test('a workflow is shown as a tree', async () => {
  const processor = await withKinds();
  await processor.addWorkflow({
    id: 'nightly',
    jobs: {
      extract: one,
      load: { ...one, input: -1, after: ['extract'] },
      check: { ...one, after: ['extract'] },
      report: { ...one, after: ['load', 'check'] },
    },
  });
  await processor.drain();
  expect((await run(['workflows'])).out).toMatch(/\nnightly +failed +2 of 4, 1 failed /);
  const { out } = await run(['workflows', 'show', 'nightly']);
  expect(out.slice(out.indexOf('\n\n') + 2).replaceAll(/ {2}\d+m?s/g, '')).toBe(
    [
      'extract (load)  completed',
      '├─ load  error; no -1',
      '└─ check (load)  completed',
      '   └─ report (load)  waits  after load, check',
      '',
    ].join('\n'),
  );
  expect(await json(['workflows', 'cancel', 'nightly'])).toEqual({ id: 'nightly', changed: 1 });
});

test('a job is shown with the jobs below it', async () => {
  const processor = await withKinds();
  await processor.addJob(parent, undefined, { id: 'p' });
  await processor.drain();
  const { out } = await run(['jobs', 'tree', 'p']);
  expect(out).toMatch(/^parent {2}error .*\n {2}load {2}completed .*\n {2}load {2}error .*no -1\n$/);
  expect((await run(['jobs', 'tree', 'p', '--status', 'error'])).out.split('\n')).toHaveLength(3);
  expect(await json(['jobs', 'tree', 'p'])).toMatchObject({
    jobs: [{ parents: ['p'] }, { status: 'error' }],
  });
  expect(await run(['jobs', 'tree', 'nobody'])).toMatchObject({ code: 3 });
});
