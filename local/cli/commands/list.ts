import { Option } from '@commander-js/extra-typings';
import * as z from 'zod';
import { jobStatuses } from '../../../src/job/job.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { jobShape } from '../jobs/job-shape.js';
import { jobColumns } from '../jobs/job-table.js';
import { endedAfterOption, endedBeforeOption } from '../operations/run-operation.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';

const pageShape = z.looseObject({ jobs: z.array(jobShape), cursor: z.string().nullable() });

/** `list` shows jobs, a page or all of them. */
export const listCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('list')
    .description('List jobs, the newest first: a page, or all of them.')
    // Accepts several values only to refuse them with an error. Otherwise the last one would win silently.
    .addOption(
      new Option('--status <status...>', 'only jobs with this status; give one').choices(jobStatuses),
    )
    .option('--name <name>', 'only jobs of this name')
    .option('--queue <name>', 'only jobs of this queue')
    .option('--key <path=value>', 'only jobs with this value in their input, such as orderId=42')
    .option('--error <text>', 'only jobs with this text in an error')
    .option(...endedAfterOption)
    .option(...endedBeforeOption)
    .addOption(new Option('--order <order>', 'which jobs come first').choices(['newest', 'oldest']))
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText(
      'after',
      examples(
        'list --status error --limit 20',
        'list --name webhook --error timeout',
        'list --key orderId=42',
        'list --all --json | wc -l',
      ),
    )
    .action(async ({ all, limit, cursor, status: statuses = [], ...filter }) => {
      const [status, ...others] = statuses;
      if (others.length > 0)
        throw new CommandFailure(
          exitCode.usage,
          `list takes one --status, not ${statuses.length}: list them one after the other, or leave it out to list all`,
          { code: 'wrong_usage' },
        );
      const query = { ...filter, status, ...(!output.isJson && { brief: 'true' }) };
      const listing = { path: '/v1/jobs', query, shape: pageShape, rows: jobsOf, columns: jobColumns };
      await showPages({ api, output }, listing, { all, limit, cursor });
    });
};

function jobsOf({ jobs }: z.output<typeof pageShape>) {
  return jobs;
}
