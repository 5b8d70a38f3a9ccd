import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { failureColumns, failureFields, failureShape, failuresShape } from '../failures/failure-shape.js';
import { runOperation } from '../operations/run-operation.js';
import { fields } from '../output/fields.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';
import { parseDurationText } from '../parse-duration.js';

/** `failures` shows groups of attempts that failed alike, and retries all jobs of a group. */
export const failuresCommand: AddCommand = (parent, context) => {
  const { api, output } = context;
  const group = parent
    .command('failures')
    .description(
      'List what failed alike: since when, how often, and how many jobs still fail; retry them all.',
    )
    .addHelpText('after', examples('failures', 'failures retry webhook:3f2a9c1b04de --spread 10m'));
  group
    .command('list', { isDefault: true })
    .description('List groups of failures, the last seen first.')
    .option('--name <name>', 'only of jobs of this name')
    .option('--since <duration>', 'only what was seen in this time, such as 1h', parseDurationText)
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples('failures list --since 1h', 'failures list --name webhook --json'))
    .action(({ name, since, ...options }) =>
      showPages(
        { api, output },
        {
          path: '/v1/failures',
          query: { name, since },
          shape: failuresShape,
          rows: ({ failures }) => failures,
          columns: failureColumns,
          none: 'Nothing failed.',
        },
        options,
      ),
    );
  group
    .command('show')
    .description('Show a group of failures.')
    .argument('<key>', 'of the group')
    .addHelpText('after', examples('failures show webhook:3f2a9c1b04de'))
    .action(async (key) => {
      const answer = await api.get(path`/v1/failures/${key}`);
      output.result(answer, failureShape, (failure) => fields(failureFields(failure), output.paint));
    });
  group
    .command('retry')
    .description('Queue all jobs of a group again that are in error.')
    .argument('<key>', 'of the group')
    .option('--spread <duration>', 'spreads the jobs over this time, such as 10m', parseDurationText)
    .addHelpText('after', examples('failures retry webhook:3f2a9c1b04de --spread 10m'))
    .action(async (failureKey, { spread }) => {
      await api.get(path`/v1/failures/${failureKey}`); // A typo is refused.
      await runOperation(context, '/v1/operations', { action: 'retry', filter: { failureKey }, spread });
    });
};
