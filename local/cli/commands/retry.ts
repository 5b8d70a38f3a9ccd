import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { eachId } from '../each-id.js';
import { examples } from '../examples.js';
import { jobStateShape } from '../jobs/job-shape.js';
import { read } from '../output/output.js';

/** `retry` queues failed and cancelled jobs again. */
export const retryCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('retry')
    .description('Queue jobs again that ended in error or were cancelled.')
    .argument('<ids...>', 'of the jobs')
    .addHelpText('after', examples('retry 697dc4a2f1e2d3c4b5a69788'))
    .action((ids) =>
      eachId(
        ids,
        output,
        async (id) => read(await api.post(path`/v1/jobs/${id}/retry`), jobStateShape).status,
      ),
    );
};
