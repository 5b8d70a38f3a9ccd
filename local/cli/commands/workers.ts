import * as z from 'zod';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { fromNow } from '../output/moment.js';
import type { Column } from '../output/table.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';

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
