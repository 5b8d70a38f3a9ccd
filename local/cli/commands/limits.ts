import * as z from 'zod';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { fromNow } from '../output/moment.js';
import type { Column } from '../output/table.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';
import { countShape, countText } from '../state/counts.js';

const limitShape = z.looseObject({
  key: z.string(),
  waiting: countShape,
  taken: z.number(),
  slowedUntil: z.string().nullable(),
});

const limitsShape = z.looseObject({ limits: z.array(limitShape), cursor: z.string().nullable() });

const columns: readonly Column<z.output<typeof limitShape>>[] = [
  { title: 'LIMIT', value: ({ key }) => key, mayShrink: true },
  { title: 'WAITING', value: ({ waiting }) => countText(waiting), align: 'right' },
  { title: 'TAKEN', value: ({ taken }) => String(taken), align: 'right' },
  {
    title: 'SLOWED UNTIL',
    value: ({ slowedUntil }) => (slowedUntil === null ? '' : fromNow(slowedUntil)),
    style: () => 'yellow',
  },
];

/** `limits` lists the limits that jobs wait for. */
export const limitsCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('limits')
    .description('List the limits that jobs wait for, or that were used recently.')
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples('limits', 'limits --all --json'))
    .action((options) =>
      showPages(
        { api, output },
        {
          path: '/v1/limits',
          shape: limitsShape,
          rows: ({ limits }) => limits,
          columns,
          none: 'No job waits for a limit.',
        },
        options,
      ),
    );
};
