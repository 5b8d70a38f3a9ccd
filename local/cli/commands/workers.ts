import * as z from 'zod';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { fromNow } from '../output/moment.js';
import { type Column, table } from '../output/table.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';
import { parseWholeNumber } from '../parse-whole-number.js';

const workerShape = z.looseObject({
  processor: z.string(),
  maxThreads: z.number(),
  queues: z.array(z.string()).nullable(),
  started: z.string(),
  expires: z.string(),
});

export type ShownWorker = z.output<typeof workerShape>;

export const workersShape = z.looseObject({ workers: z.array(workerShape), cursor: z.string().nullable() });

/** The columns of a list of worker invocations. */
export const workerColumns: readonly Column<ShownWorker>[] = [
  { title: 'PROCESSOR', value: ({ processor }) => processor, mayShrink: true },
  { title: 'THREADS', value: ({ maxThreads }) => String(maxThreads), align: 'right' },
  { title: 'STARTED', value: ({ started }) => fromNow(started), align: 'right' },
  { title: 'LEASE', value: ({ expires }) => fromNow(expires), align: 'right' },
  { title: 'QUEUES', value: ({ queues }) => queues?.join(', ') ?? 'all', mayShrink: true },
];

/** The text shown instead of a list without rows. */
export const noWorkers = 'No worker is running. Invocations that end within a second are not listed.';

const runningShape = z.looseObject({
  running: z.array(
    z.looseObject({ id: z.string(), jobName: z.string(), queue: z.string(), started: z.string().nullable() }),
  ),
});

type RunningJob = z.output<typeof runningShape>['running'][number];

const runningColumns: readonly Column<RunningJob>[] = [
  { title: 'JOB', value: ({ id }) => id },
  { title: 'NAME', value: ({ jobName }) => jobName, mayShrink: true },
  { title: 'QUEUE', value: ({ queue }) => queue, mayShrink: true },
  { title: 'STARTED', value: ({ started }) => fromNow(started), align: 'right' },
];

/** `workers` lists the worker invocations under way. */
export const workersCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('workers')
    .description('List the running worker invocations, except those that end within a second.')
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples('workers'))
    .action((options) =>
      showPages(
        { api, output },
        {
          path: '/v1/workers',
          shape: workersShape,
          rows: ({ workers }) => workers,
          columns: workerColumns,
          none: noWorkers,
        },
        options,
      ),
    );
};

/** `running` lists the running jobs. */
export const runningCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('running')
    .description('List the running jobs. Those of a crashed worker are running until they are recovered.')
    .option('--limit <number>', 'of jobs, 1 to 1000; default: 1000', parseWholeNumber)
    .addHelpText('after', examples('running'))
    .action(async ({ limit }) => {
      const answer = await api.get('/v1/workers/running', { limit });
      output.result(answer, runningShape, ({ running }) =>
        running.length === 0 ? 'No job is running.' : table(runningColumns, running, output),
      );
    });
};
