import * as z from 'zod';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { fromNow } from '../output/moment.js';
import type { Column } from '../output/table.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';

const entryShape = z.looseObject({
  at: z.string(),
  who: z.string(),
  via: z.string(),
  address: z.string().nullable(),
  action: z.string(),
  targets: z.array(z.string()),
  count: z.number(),
  changes: z.array(
    z.looseObject({ field: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
  ),
  outcome: z.string(),
});

type ShownEntry = z.output<typeof entryShape>;

const entriesShape = z.looseObject({ entries: z.array(entryShape), cursor: z.string().nullable() });

const columns: readonly Column<ShownEntry>[] = [
  { title: 'WHEN', value: ({ at }) => fromNow(at), align: 'right' },
  { title: 'WHO', value: ({ who }) => who, mayShrink: true },
  { title: 'ACTION', value: ({ action }) => action },
  { title: 'TO WHAT', value: targetsText, mayShrink: 20 },
  { title: 'CHANGES', value: changesText, mayShrink: true, leaveOut: 2 },
  {
    title: 'OUTCOME',
    value: ({ outcome }) => outcome,
    style: ({ outcome }) => (outcome === 'done' ? undefined : 'red'),
  },
  { title: 'FROM', value: ({ via, address }) => (address === null ? via : `${via} ${address}`), leaveOut: 1 },
];

/** `audit` lists who changed what, when and from where. */
export const auditCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('audit')
    .description('List who changed what in the last 90 days, the newest first.')
    .option('--target <target>', 'only what was done to this: its kind, a colon and its id')
    .option('--who <who>', 'only what this person did')
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples('audit', 'audit --target queue:mail', 'audit --who ann --all --json'))
    .action(({ target, who, ...options }) =>
      showPages(
        { api, output },
        {
          path: '/v1/audit',
          query: { target, who },
          shape: entriesShape,
          rows: ({ entries }) => entries,
          columns,
          none: 'Nobody changed anything in the last 90 days.',
        },
        options,
      ),
    );
};

function targetsText({ targets: [first = '', ...others], count }: ShownEntry): string {
  return others.length === 0 ? first : `${first} and ${count - 1} more`;
}

function changesText({ changes }: ShownEntry): string {
  return changes
    .map(({ field, before, after }) => {
      if (before === null) return after === null ? field : `${field}: ${after}`;
      return `${field}: ${before} → ${after ?? 'nothing'}`;
    })
    .join(', ');
}
