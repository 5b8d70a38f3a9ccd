import * as z from 'zod';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { fromNow } from '../output/moment.js';
import type { Column } from '../output/table.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';

const markShape = z.looseObject({
  ...{ id: z.string(), at: z.string(), text: z.string() },
  // Servers of earlier versions do not say who.
  by: z.string().nullable().default(null),
});

const columns: readonly Column<z.output<typeof markShape>>[] = [
  { title: 'AT', value: ({ at }) => at },
  { title: 'AGO', value: ({ at }) => fromNow(at), align: 'right' },
  { title: 'TEXT', value: ({ text }) => text, mayShrink: true },
  { title: 'BY', value: ({ by }) => by ?? '', mayShrink: true },
];

/** `mark` marks a moment, such as a deployment, in the charts. */
export const markCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('mark')
    .description('Mark a moment, such as a deployment, in the charts of the dashboard.')
    .argument('<text>', 'such as v42')
    .option('--at <moment>', 'ISO 8601, within the last 90 days; default: now')
    .addHelpText('after', examples('mark v42', "mark 'prices changed' --at 2026-01-31T09:05:00Z"))
    .action(async (text, { at }) => {
      const answer = await api.post('/v1/marks', { body: { text, at } });
      output.result(answer, markShape, (mark) => `${mark.text} is marked at ${mark.at}`);
    });
};

/** `marks` lists what was marked. */
export const marksCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('marks')
    .description('List the moments that were marked, such as deployments, the latest first.')
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples('marks', 'marks --all --json'))
    .action((options) =>
      showPages(
        { api, output },
        {
          path: '/v1/marks',
          shape: z.looseObject({ marks: z.array(markShape), cursor: z.string().nullable() }),
          rows: ({ marks }) => marks,
          columns,
          none: 'Nothing was marked.',
        },
        options,
      ),
    );
};
