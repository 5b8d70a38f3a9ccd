import { Option } from '@commander-js/extra-typings';
import * as z from 'zod';
import { jobStatuses } from '../../../src/job/job.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { jobShape } from '../jobs/job-shape.js';
import { jobColumns } from '../jobs/job-table.js';
import { read } from '../output/output.js';
import { table } from '../output/table.js';
import { parseWholeNumber } from '../parse-whole-number.js';

const pageShape = z.looseObject({ jobs: z.array(jobShape), cursor: z.string().nullable() });

/** `list`: jobs, a page or all. */
export const listCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('list')
    .description('List jobs, the newest first: a page, or all of them.')
    // It takes several only to say that it takes one: otherwise the last one would silently win.
    .addOption(new Option('--status <status...>', 'only those; just one').choices(jobStatuses))
    .option('--name <name>', 'only jobs of this name')
    .option('--queue <name>', 'only those of this queue')
    .option('--error <text>', 'only those with this text in an error')
    .addOption(new Option('--order <order>', 'which come first').choices(['newest', 'oldest']))
    .option('--limit <number>', 'of jobs in a page, 1 to 1000; 100 when not given', parseWholeNumber)
    .option('--cursor <cursor>', 'of the next page, as the page before told it')
    .option('--all', 'all pages; with --json one job a line')
    .addHelpText(
      'after',
      examples(
        'list --status error --limit 20',
        'list --name webhook --error timeout',
        'list --all --json | wc -l',
      ),
    )
    .action(async ({ all, status: statuses = [], ...rest }) => {
      const [status, ...others] = statuses;
      if (others.length > 0)
        throw new CommandFailure(
          exitCode.usage,
          `list takes one --status, not ${statuses.length}: list them one after the other, or all by leaving it out`,
          { code: 'wrong_usage' },
        );
      const filter = { ...rest, status };
      for (let cursor = filter.cursor, isFirst = true; ; isFirst = false) {
        const answer = await api.get('/v1/jobs', { ...filter, cursor });
        const page = read(answer, pageShape);
        if (!all) {
          output.result(answer, pageShape, ({ jobs }) => table(jobColumns, jobs, output));
          if (page.cursor !== null && !output.isJson) output.note(`There are more: --cursor ${page.cursor}`);
          return;
        }
        if (output.isJson) for (const job of page.jobs) output.jsonLine(job);
        else if (page.jobs.length > 0 || isFirst) output.print(table(jobColumns, page.jobs, output));
        if (page.cursor === null) return;
        cursor = page.cursor;
      }
    });
};
