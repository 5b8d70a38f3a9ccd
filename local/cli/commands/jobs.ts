import { Option } from '@commander-js/extra-typings';
import * as z from 'zod';
import { jobStatuses } from '../../../src/job/job.js';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { jobShape } from '../jobs/job-shape.js';
import { treeLine } from '../jobs/job-tree.js';
import { read } from '../output/output.js';
import { allOption, cursorOption, limitOption, pagesOf } from '../pages.js';

const pageShape = z.looseObject({ jobs: z.array(jobShape), cursor: z.string().nullable() });

/** `jobs tree` shows a job and the jobs that its steps have added, at all levels. */
export const jobsCommand: AddCommand = (parent, { api, output }) => {
  const group = parent
    .command('jobs')
    .description('Show which jobs a job has added.')
    .addHelpText('after', examples('jobs tree 697dc4a2f1e2d3c4b5a69788'));
  group
    .command('tree')
    .description('Show a job and the jobs that its steps have added, at all levels.')
    .argument('<id>', 'of the job')
    .addOption(new Option('--status <status>', 'only jobs with this status below it').choices(jobStatuses))
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText(
      'after',
      examples('jobs tree 697dc4a2f1e2d3c4b5a69788', 'jobs tree my-import --status error --all'),
    )
    .action(async (id, { status, all, ...options }) => {
      const listing = { path: path`/v1/jobs/${id}/children`, query: { status }, shape: pageShape };
      const job = read(await api.get(path`/v1/jobs/${id}`), jobShape);
      const above = job.parents?.length ?? 0;
      const isFirst = options.cursor === undefined;
      if (isFirst && !output.isJson) output.print(treeLine(job, above, output.paint));
      for await (const { page, answer } of pagesOf(api, listing, options)) {
        if (!output.isJson) for (const child of page.jobs) output.print(treeLine(child, above, output.paint));
        else if (all) for (const child of page.jobs) output.jsonLine(child);
        else output.json(answer);
        if (all) continue;
        if (page.cursor !== null && !output.isJson) output.note(`There are more: --cursor ${page.cursor}`);
        return;
      }
    });
};
