import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { jobShape, type ShownJob } from '../../../local/cli/jobs/job-shape.js';
import { jobColumns } from '../../../local/cli/jobs/job-table.js';
import { plain } from '../../../local/cli/output/paint.js';
import { table } from '../../../local/cli/output/table.js';
import { useDatabase } from '../../database.js';
import { echo, failing } from '../../jobs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

async function prepare() {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing]);
  return processor;
}

test('list shows the newest jobs first, with what is worth knowing of each', async () => {
  const processor = await prepare();
  await processor.addJob('echo', {});
  await processor.addJob('failing');
  await processor.processJobs();
  await processor.addJob('echo', {}, { queue: 'mail', delay: '1h' });

  const lines = (await run(['list'])).out.trimEnd().split('\n');

  expect(lines[0]).toMatch(/^ID +JOB +QUEUE +STATUS +TRIES +CREATED +TOOK$/);
  expect(lines[1]).toMatch(/ echo +mail +queued +0\/3 .+ due in \d+/);
  expect(lines[2]).toMatch(/ failing +default +error +1\/3 .+ It is hopeless\.$/);
  expect(lines[3]).toMatch(/ echo +default +completed +1\/3 /);
  expect(lines).toHaveLength(4);
});

test('list filters, and says how to go on with the next page', async () => {
  const processor = await prepare();
  const [first, second] = await processor.addJobs([1, 2, 3].map((n) => ({ name: 'echo', input: { n } })));
  await processor.addJob('failing', undefined, { queue: 'mail' });
  const oldest = ['list', '--name', 'echo', '--order', 'oldest', '--limit', '1'];

  const page = await run(oldest);
  const cursor = /^There are more: --cursor (\S+)\n$/.exec(page.err)?.[1] ?? '';

  expect(page.out).toContain(first);
  expect(await json([...oldest, '--cursor', cursor])).toMatchObject({ jobs: [{ id: second }] });
  expect(await json(['list', '--queue', 'mail', '--status', 'queued'])).toMatchObject({
    jobs: [{ jobName: 'failing' }],
    cursor: null,
  });
  expect(await json(['list', '--error', 'hopeless'])).toMatchObject({ jobs: [] });
  expect(await run(['list', '--cursor', 'nonsense'])).toMatchObject({ code: 2 });
});

test('list --all goes through all pages, with --json one job a line', async () => {
  const processor = await prepare();
  const ids = await processor.addJobs([1, 2, 3, 4, 5].map((n) => ({ name: 'echo', input: { n } })));

  const { out } = await run(['list', '--all', '--limit', '2', '--order', 'oldest', '--json']);
  const table = await run(['list', '--all', '--limit', '2']);

  const listed = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(listed.map(({ id }) => id)).toEqual(ids);
  for (const id of ids) expect(table.out).toContain(id);
});

test('list takes one status, and says so to who gives more', async () => {
  for (const more of [['completed'], ['--status', 'completed']])
    expect(await run(['list', '--status', 'error', ...more])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('list takes one --status, not 2'),
    });
});

test.each([60, 70, 100])(
  'in %i columns a list keeps ids whole, and shows why a job failed',
  async (width) => {
    const processor = await prepare();
    await processor.addJob('failing', undefined, { queue: 'a-queue-with-a-rather-long-name' });
    await processor.addJob('echo', {});
    await processor.processJobs();
    const shown = z.object({ jobs: z.array(jobShape) }).parse(await json(['list']));
    const jobs: ShownJob[] = shown.jobs;

    const lines = table(jobColumns, jobs, { width, paint: plain }).split('\n');

    for (const { id } of jobs) expect(lines.filter((line) => line.startsWith(`${id} `))).toHaveLength(1);
    expect(lines.join('\n')).toMatch(/ error .* It is hopel/);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
    // What is shown is whole, or not there.
    expect(lines[0]).toMatch(/^ID +JOB( +QUEUE)? +STATUS( +TRIES( +CREATED)?( +TOOK)?)?$/);
  },
);
