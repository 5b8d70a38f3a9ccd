import { Option } from '@commander-js/extra-typings';
import * as z from 'zod';
import { settledStatuses } from '../../../src/job/job.js';
import { path } from '../api/api.js';
import { confirm } from '../confirm.js';
import type { AddCommand } from '../context.js';
import { eachId } from '../each-id.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { read } from '../output/output.js';
import { parseDurationText } from '../parse-duration.js';

const removedShape = z.object({
  removed: z.record(z.string(), z.number()),
  more: z.boolean().default(false),
});

/** `remove` removes settled jobs: those with the given ids, or all that ended in a certain way and time. */
export const removeCommand: AddCommand = (parent, { api, output, stdin }) => {
  parent
    .command('remove')
    .description('Remove settled jobs: by their ids, or by status and age. This cannot be undone.')
    .argument('[ids...]', 'of the jobs')
    .addOption(new Option('--status <statuses...>', 'all jobs with these statuses').choices(settledStatuses))
    .option(
      '--older-than <duration>',
      'with --status: only jobs that ended at least this long ago, such as 7d',
      parseDurationText,
    )
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        'remove 697dc4a2f1e2d3c4b5a69788',
        'remove --status completed cancelled --older-than 7d',
        'remove --status error --yes',
      ),
    )
    .action(async (ids, { status, olderThan, yes }) => {
      const isById = ids.length > 0;
      const isByStatus = status !== undefined;
      if (isById === isByStatus || (isById && olderThan !== undefined))
        throw new CommandFailure(
          exitCode.usage,
          'Give the ids of jobs, or --status and optionally --older-than',
          {
            code: 'wrong_usage',
          },
        );
      if (status === undefined) {
        await confirm(`Remove ${ids.length === 1 ? `job ${ids[0]}` : `${ids.length} jobs`} for good?`, yes, {
          stdin,
          output,
        });
        return eachId(ids, output, async (id) => {
          await api.delete(path`/v1/jobs/${id}`);
          return 'removed';
        });
      }
      const age = olderThan === undefined ? '' : ` at least ${olderThan} ago`;
      await confirm(`Remove all jobs that ended as ${status.join(' or ')}${age} for good?`, yes, {
        stdin,
        output,
      });
      const total: Record<string, number> = {};
      for (let more = true; more; ) {
        const answer = read(await api.delete('/v1/jobs', { status, olderThan }), removedShape);
        for (const [ended, count] of Object.entries(answer.removed))
          total[ended] = (total[ended] ?? 0) + count;
        ({ more } = answer);
      }
      output.result({ removed: total }, removedShape, ({ removed }) =>
        Object.entries(removed)
          .map(([ended, count]) => `${count} ${ended}`)
          .join('\n'),
      );
    });
};
