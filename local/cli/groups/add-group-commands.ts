import type * as z from 'zod';
import { path } from '../api/api.js';
import { confirm } from '../confirm.js';
import type { AddCommand, CommandContext } from '../context.js';
import { examples } from '../examples.js';
import { allOption, cursorOption, showPages } from '../pages.js';
import { parseWholeNumber } from '../parse-whole-number.js';
import { changeShape, type ShownGroup } from './group-shape.js';
import { groupColumns } from './group-text.js';

interface GroupCommands<Page extends { readonly cursor: string | null }> {
  /** The word for one: `batch` or `workflow`. */
  readonly one: string;
  /** `batches` or `workflows`: the name of the command, and of the path in the API. */
  readonly many: string;
  readonly shape: z.ZodType<Page>;
  readonly rows: (page: Page) => readonly ShownGroup[];
  /** Prints one batch or workflow from the API's answer. */
  readonly show: (id: string, answer: unknown) => Promise<void> | void;
}

/** Adds the commands that batches and workflows share: list, show, cancel, retry and remove. */
export function addGroupCommands<Page extends { readonly cursor: string | null }>(
  parent: Parameters<AddCommand>[0],
  context: CommandContext,
  { one, many, shape, rows, show }: GroupCommands<Page>,
): void {
  const { api, output } = context;
  const at = (id: string) => `/v1/${many}${path`/${id}`}`;
  const group = parent
    .command(many)
    .description(`List and show ${many}, cancel, retry and remove them.`)
    .addHelpText('after', examples(many, `${many} show import-7`, `${many} retry import-7`));
  group
    .command('list', { isDefault: true })
    .description(`List ${many}, the newest first.`)
    .option('--limit <number>', 'entries per page, 1 to 100; default: 20', parseWholeNumber)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples(many, `${many} list --all --json`))
    .action((options) =>
      showPages(
        { api, output },
        { path: `/v1/${many}`, shape, rows, columns: groupColumns, none: `There are no ${many}.` },
        options,
      ),
    );
  group
    .command('show')
    .description(`Show how far a ${one} has come.`)
    .argument('<id>', `of the ${one}`)
    .addHelpText('after', examples(`${many} show import-7`))
    .action(async (id) => {
      const answer = await api.get(at(id));
      if (output.isJson) output.json(answer);
      else await show(id, answer);
    });
  for (const [name, description, done] of [
    ['cancel', 'Cancel the jobs that have not ended, and all that these have added.', 'cancelled'],
    ['retry', 'Queue the jobs again that failed or were cancelled.', 'queued again'],
  ] as const)
    group
      .command(name)
      .description(description)
      .argument('<id>', `of the ${one}`)
      .addHelpText('after', examples(`${many} ${name} import-7`))
      .action(async (id) => {
        const answer = await api.post(`${at(id)}/${name}`);
        output.result(
          answer,
          changeShape,
          ({ changed }) => `${id}: ${changed === 1 ? '1 job is' : `${changed} jobs are`} ${done}`,
        );
      });
  group
    .command('remove')
    .description(`Remove a ${one} whose jobs have ended, with its jobs. This cannot be undone.`)
    .argument('<id>', `of the ${one}`)
    .option('--yes', 'do not ask')
    .addHelpText('after', examples(`${many} remove import-7 --yes`))
    .action(async (id, { yes }) => {
      await confirm(`Remove the ${one} ${id} with its jobs for good?`, yes, context);
      await api.delete(at(id));
      if (output.isJson) output.json({ id, status: 'removed' });
      else output.print(`${id} is removed`);
    });
}
