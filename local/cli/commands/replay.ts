import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { type Column, table } from '../output/table.js';
import { parseWholeNumber } from '../parse-whole-number.js';
import { jobsOption } from '../work/jobs-option.js';
import type { ReplayedJob } from '../work/replay-jobs.js';

/** `replay` tells what new code would do with the stored steps of jobs in flight. */
export const replayCommand: AddCommand = (parent, { env, output, url }) => {
  parent
    .command('replay')
    .description(
      'Tell what new code would do with the stored steps of jobs in flight. No step runs. Exits with 1 if stored steps are not found.',
    )
    .addOption(jobsOption())
    .option('--limit <number>', 'the most jobs of each kind', parseWholeNumber, 100)
    .addHelpText('after', examples('replay --jobs ./dist/jobs.js'))
    .action(async ({ jobs: module, limit }) => {
      if (url() !== undefined)
        throw new CommandFailure(exitCode.usage, 'Set MONGODB_URI, and leave out --url', {
          code: 'wrong_usage',
        });
      const { replayJobs } = await import('../work/replay-jobs.js');
      const jobs = await replayJobs(env, module, limit);
      if (output.isJson) output.json({ jobs });
      else if (jobs.length === 0) output.note('No job in flight has stored steps');
      else output.print(table(columns, jobs, output));
      const lost = jobs.filter(({ unmet }) => unmet.length > 0);
      if (lost.length === 0) return;
      throw new CommandFailure(
        exitCode.failed,
        `Stored steps of ${lost.length} jobs are not found by this code, and would run again: name renamed ones with \`was\`, or keep the former code in \`versions\``,
        { code: 'steps_not_found' },
      );
    });
};

const columns: readonly Column<ReplayedJob>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'JOB', value: ({ jobName }) => jobName, mayShrink: true },
  { title: 'FOUND', value: ({ met }) => `${met.length}`, align: 'right' },
  { title: 'NOT FOUND', value: ({ unmet }) => unmet.join(', '), mayShrink: true, style: () => 'red' },
  { title: 'NEXT', value: ({ next }) => next.join(', '), mayShrink: true },
  { title: '', value: remark, mayShrink: 12, style: () => 'dim' },
];

function remark({ problem, isNewer }: ReplayedJob): string {
  return isNewer ? 'begun by newer code, which this leaves it to' : (problem ?? '');
}
