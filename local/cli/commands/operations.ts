import { Option } from '@commander-js/extra-typings';
import { jobStatuses } from '../../../src/job/job.js';
import { operationActions } from '../../../src/operation/operation-document.js';
import { path } from '../api/api.js';
import { confirm } from '../confirm.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import {
  operationColumns,
  operationFields,
  operationShape,
  operationsShape,
} from '../operations/operation-shape.js';
import {
  chosenBy,
  endedAfterOption,
  endedBeforeOption,
  errorOption,
  failureOption,
  keyOption,
  nameOption,
  queueOption,
  runOperation,
} from '../operations/run-operation.js';
import { fields } from '../output/fields.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';
import { parseDurationText } from '../parse-duration.js';
import { parseWholeNumber } from '../parse-whole-number.js';

/** `operations` changes all jobs that match, and shows, stops and undoes such changes. */
export const operationsCommand: AddCommand = (parent, context) => {
  const { api, output } = context;
  const group = parent
    .command('operations')
    .description('Change all jobs that match; list, show, stop and undo such changes.')
    .addHelpText(
      'after',
      examples('operations', 'operations start move --name webhook --to slow', 'operations undo <id>'),
    );
  group
    .command('list', { isDefault: true })
    .description('List operations of the last 30 days, the newest first.')
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples('operations', 'operations list --all --json'))
    .action((options) =>
      showPages(
        { api, output },
        {
          path: '/v1/operations',
          shape: operationsShape,
          rows: ({ operations }) => operations,
          columns: operationColumns,
          none: 'No operation was started in the last 30 days.',
        },
        options,
      ),
    );
  group
    .command('show')
    .description('Show how far an operation has come.')
    .argument('<id>', 'of the operation')
    .addHelpText('after', examples('operations show 697dc4a2f1e2d3c4b5a69788'))
    .action(async (id) => {
      const answer = await api.get(path`/v1/operations/${id}`);
      output.result(answer, operationShape, (operation) => fields(operationFields(operation), output.paint));
    });
  group
    .command('start')
    .description(
      'Change all jobs that match, and tell how far it is. Jobs that are added meanwhile stay as they are.',
    )
    .addArgument(parent.createArgument('<action>', 'what to do with them').choices(operationActions))
    .addOption(new Option('--status <status>', 'all jobs with this status').choices(jobStatuses))
    .option(...nameOption)
    .option(...queueOption)
    .option(...keyOption)
    .option(...errorOption)
    .option(...failureOption)
    .option(...endedAfterOption)
    .option(...endedBeforeOption)
    .option(
      '--spread <duration>',
      'for retry: spreads the jobs over this time, such as 10m',
      parseDurationText,
    )
    .option('--to <queue>', 'for move: the queue')
    .option('--priority <number>', 'for reprioritise: 0 to 9', parseWholeNumber)
    .option('--yes', 'for remove: do not ask')
    .addHelpText(
      'after',
      examples(
        'operations start retry --name webhook --spread 10m',
        'operations start move --queue default --name report --to slow',
        'operations start remove --status error --name webhook --yes',
      ),
    )
    .action(async (action, { spread, to, priority, yes, ...filter }) => {
      if (action === 'remove') await confirm('Remove all jobs that match for good?', yes, context);
      await runOperation(context, '/v1/operations', {
        action,
        ...chosenBy(filter),
        spread,
        to,
        priority,
      });
    });
  for (const [name, description] of [
    ['stop', 'Stop an operation. What it has changed stays so.'],
    ['undo', 'Undo an operation for jobs that have not begun since, up to 5 minutes after it ended.'],
  ] as const)
    group
      .command(name)
      .description(description)
      .argument('<id>', 'of the operation')
      .addHelpText('after', examples(`operations ${name} 697dc4a2f1e2d3c4b5a69788`))
      .action((id) => runOperation(context, `${path`/v1/operations/${id}`}/${name}`));
};
