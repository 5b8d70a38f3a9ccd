import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { eachId } from '../each-id.js';
import { examples } from '../examples.js';
import { jobStateShape } from '../jobs/job-shape.js';
import { read } from '../output/output.js';

/** `cancel` cancels jobs that are not settled. */
export const cancelCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('cancel')
    .description('Cancel jobs: queued jobs never start, and running jobs are told to stop.')
    .argument('<ids...>', 'of the jobs')
    .addHelpText('after', examples('cancel 697dc4a2f1e2d3c4b5a69788'))
    .action((ids) =>
      eachId(
        ids,
        output,
        async (id) => read(await api.post(path`/v1/jobs/${id}/cancel`), jobStateShape).status,
      ),
    );
};
