import { Option } from '@commander-js/extra-typings';
import { ranges } from '../../../src/statistics/ranges.js';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { kindColumns, kindFields, kindRangeShape, kindsShape } from '../kinds/kind-shape.js';
import { fields } from '../output/fields.js';
import { table } from '../output/table.js';
import { limitOption } from '../pages.js';

/** `kinds` shows how the jobs of each kind fared: how many failed, how long they ran and waited. */
export const kindsCommand: AddCommand = (parent, { api, output }) => {
  const group = parent
    .command('kinds')
    .description('Show how the jobs of each kind fared: how many failed, how long they ran and waited.')
    .addHelpText('after', examples('kinds', 'kinds show webhook --range 7d'));
  group
    .command('list', { isDefault: true })
    .description('List the kinds of jobs that ran, those with the most failed attempts first.')
    .addOption(rangeOption())
    .option(...limitOption)
    .addHelpText('after', examples('kinds list --range 24h', 'kinds list --json'))
    .action(async ({ range, limit }) => {
      const answer = await api.get('/v1/kinds', { range, limit });
      output.result(answer, kindsShape, ({ kinds }) =>
        kinds.length === 0 ? 'No job ended.' : table(kindColumns, kinds, output),
      );
    });
  group
    .command('show')
    .description('Show one kind of jobs.')
    .argument('<name>', 'of the jobs')
    .addOption(rangeOption())
    .addHelpText('after', examples('kinds show webhook --range 24h'))
    .action(async (name, { range }) => {
      const answer = await api.get(path`/v1/kinds/${name}`, { range });
      output.result(answer, kindRangeShape, (kind) => fields(kindFields(kind), output.paint));
    });
};

function rangeOption() {
  return new Option('--range <range>', 'the time until now').choices(ranges).default('1h' as const);
}
