import { Option } from '@commander-js/extra-typings';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { eachId } from '../each-id.js';
import { examples } from '../examples.js';
import { jobStateShape } from '../jobs/job-shape.js';
import {
  chosenBy,
  isByFilter,
  keyOption,
  nameOption,
  queueOption,
  runOperation,
} from '../operations/run-operation.js';
import { read } from '../output/output.js';

/** `cancel` cancels jobs that are not settled: those with the given ids, or all that match a filter. */
export const cancelCommand: AddCommand = (parent, context) => {
  const { api, output } = context;
  parent
    .command('cancel')
    .description(
      'Cancel jobs, by their ids or all that match: queued jobs never start, and running jobs are told to stop.',
    )
    .argument('[ids...]', 'of the jobs')
    .addOption(
      new Option(
        '--status <status>',
        'all jobs with this status; queued is the default with other options',
      ).choices(['queued', 'processing']),
    )
    .option(...nameOption)
    .option(...queueOption)
    .option(...keyOption)
    .addHelpText('after', examples('cancel 697dc4a2f1e2d3c4b5a69788', 'cancel --name webhook --queue slow'))
    .action((ids, filter) =>
      isByFilter(ids, filter)
        ? runOperation(context, '/v1/operations', { action: 'cancel', ...chosenBy(filter) })
        : eachId(
            ids,
            output,
            async (id) => read(await api.post(path`/v1/jobs/${id}/cancel`), jobStateShape).status,
          ),
    );
};
