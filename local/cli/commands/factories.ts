import * as z from 'zod';
import { DEFAULT_ADD_ROLE } from '../../../src/access/role.js';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { exactDuration } from '../output/duration.js';
import { fields, pretty } from '../output/fields.js';
import type { Column } from '../output/table.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';

const factoryShape = z.looseObject({
  name: z.string(),
  inputSchema: z.looseObject({ required: z.array(z.string()).optional() }).nullable(),
  inputOptional: z.boolean(),
  /** Missing in answers of earlier versions. */
  addRole: z.string().default(DEFAULT_ADD_ROLE),
  searchable: z.array(z.string()).default([]),
  redact: z.array(z.string()).default([]),
  defaults: z.looseObject({
    queue: z.string(),
    priority: z.number(),
    maxRetries: z.number(),
    retryDelay: z.unknown(),
  }),
});

const exponentialShape = z.object({ kind: z.literal('exponential'), base: z.number(), cap: z.number() });

type Factory = z.output<typeof factoryShape>;

const factoriesShape = z.looseObject({ jobFactories: z.array(factoryShape), cursor: z.string().nullable() });

const columns: readonly Column<Factory>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'QUEUE', value: ({ defaults }) => defaults.queue, mayShrink: true },
  { title: 'PRIORITY', value: ({ defaults }) => String(defaults.priority), align: 'right' },
  { title: 'TRIES', value: ({ defaults }) => String(defaults.maxRetries), align: 'right' },
  { title: 'RETRY DELAY', value: ({ defaults }) => delayText(defaults.retryDelay), mayShrink: true },
  { title: 'ROLE', value: ({ addRole }) => addRole },
  { title: 'NEEDS', value: needs, mayShrink: true },
];

/** `factories` lists the job factories whose jobs can be added. */
export const factoriesCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('factories')
    .description(
      'List the kinds of jobs that can be added, or show one of them with the schema of its input.',
    )
    .argument('[name]', 'of a kind of job')
    .addHelpText('after', examples('factories', 'factories webhook'))
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .action(async (name, options) => {
      if (name !== undefined)
        return output.result(await api.get(path`/v1/job-factories/${name}`), factoryShape, (factory) =>
          fields(
            [
              ['name', factory.name],
              ['queue', `${factory.defaults.queue}, priority ${factory.defaults.priority}`],
              ['attempts', String(factory.defaults.maxRetries)],
              ['added by', `callers of the role ${factory.addRole}`],
              ['found by', factory.searchable.join(', ')],
              ['redacted', factory.redact.join(', ')],
              ['retry delay', delayText(factory.defaults.retryDelay)],
              [
                'input',
                factory.inputSchema === null
                  ? 'has no JSON Schema: only a process with the code can add it'
                  : pretty(factory.inputSchema),
              ],
            ],
            output.paint,
          ),
        );
      await showPages(
        { api, output },
        {
          path: '/v1/job-factories',
          shape: factoriesShape,
          rows: ({ jobFactories }) => jobFactories,
          columns,
          none: 'No kinds of jobs are registered. Workers and schedulers register theirs when they start.',
        },
        options,
      );
    });
};

function delayText(delay: unknown): string {
  if (typeof delay === 'number') return exactDuration(delay);
  if (delay === null) return 'by its code';
  const { data: exponential } = exponentialShape.safeParse(delay);
  if (!exponential) return JSON.stringify(delay);
  return `exponential, ${exactDuration(exponential.base)} to ${exactDuration(exponential.cap)}`;
}

function needs({ inputSchema, inputOptional }: Factory): string {
  if (inputOptional) return 'nothing';
  return inputSchema?.required?.join(', ') || 'an input';
}
