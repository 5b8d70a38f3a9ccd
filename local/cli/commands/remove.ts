import { Option } from '@commander-js/extra-typings';
import * as z from 'zod';
import { settledStatuses } from '../../../src/job/job.js';
import { confirm } from '../confirm.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';

const removedShape = z.object({ removed: z.record(z.string(), z.number()) });

/** `remove`: settled jobs, by how and when they ended. */
export const removeCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('remove')
    .description('Remove settled jobs for good, by how they ended and how long ago.')
    .addOption(
      new Option('--status <statuses...>', 'how they ended').choices(settledStatuses).makeOptionMandatory(),
    )
    .option('--older-than <duration>', 'only those that ended at least so long ago, such as 7d')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      examples('remove --status completed cancelled --older-than 7d', 'remove --status error --yes'),
    )
    .action(async ({ status, olderThan, yes }) => {
      const age = olderThan === undefined ? '' : ` at least ${olderThan} ago`;
      await confirm(`Remove all jobs that ended as ${status.join(' or ')}${age} for good?`, yes);
      const answer = await api.delete('/v1/jobs', { status, olderThan });
      output.result(answer, removedShape, ({ removed }) =>
        Object.entries(removed)
          .map(([ended, count]) => `${count} ${ended}`)
          .join('\n'),
      );
    });
};
