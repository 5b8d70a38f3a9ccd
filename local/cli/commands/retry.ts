import { Option } from '@commander-js/extra-typings';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { eachId } from '../each-id.js';
import { examples } from '../examples.js';
import { jobStateShape } from '../jobs/job-shape.js';
import {
  chosenBy,
  endedAfterOption,
  endedBeforeOption,
  errorOption,
  failureOption,
  isByFilter,
  keyOption,
  nameOption,
  queueOption,
  runOperation,
} from '../operations/run-operation.js';
import { read } from '../output/output.js';
import { parseDurationText } from '../parse-duration.js';

/** `retry` queues failed and cancelled jobs again: those with the given ids, or all that match a filter. */
export const retryCommand: AddCommand = (parent, context) => {
  const { api, output } = context;
  parent
    .command('retry')
    .description('Queue jobs again that ended in error or were cancelled: by their ids, or all that match.')
    .argument('[ids...]', 'of the jobs')
    .addOption(new Option('--status <status>', 'all jobs with this status').choices(['error', 'cancelled']))
    .option(...nameOption)
    .option(...queueOption)
    .option(...keyOption)
    .option(...errorOption)
    .option(...failureOption)
    .option(...endedAfterOption)
    .option(...endedBeforeOption)
    .option(
      '--spread <duration>',
      'with options: spreads the jobs over this time, such as 10m',
      parseDurationText,
    )
    .addHelpText(
      'after',
      examples(
        'retry 697dc4a2f1e2d3c4b5a69788',
        'retry --status error --name webhook',
        'retry --status error --ended-after 1h',
        'retry --name webhook --error ECONNREFUSED --spread 10m',
      ),
    )
    .action((ids, options) =>
      isByFilter(ids, options)
        ? runOperation(context, '/v1/operations', {
            action: 'retry',
            ...chosenBy(options),
            spread: options.spread,
          })
        : eachId(
            ids,
            output,
            async (id) => read(await api.post(path`/v1/jobs/${id}/retry`), jobStateShape).status,
          ),
    );
};
