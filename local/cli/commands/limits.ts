import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import * as z from 'zod';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { limitColumns, limitDetails, limitDetailsShape, limitsShape } from '../limits/limit-table.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';
import { parseWholeNumber } from '../parse-whole-number.js';

const stateShape = z.looseObject({
  key: z.string(),
  max: z.number().nullable(),
  paused: z.string().nullable(),
});

/** `limits` shows what jobs wait for, and sets, pauses and resumes limits. */
export const limitsCommand: AddCommand = (parent, { api, output }) => {
  const group = parent
    .command('limits')
    .description('List limits, set, pause and resume them, and skip failed jobs.')
    .addHelpText('after', examples('limits', 'limits set import=acme 5', 'limits pause import=acme'));
  group
    .command('list', { isDefault: true })
    .description('List the limits that jobs wait for, that were used recently, or that a person has set.')
    .addOption(
      new Option('--order <order>', 'fullest: only a page, of the longest lines').choices(['key', 'fullest']),
    )
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples('limits', 'limits list --order fullest', 'limits list --all --json'))
    .action(({ order, ...options }) =>
      showPages(
        { api, output },
        {
          path: '/v1/limits',
          query: { order },
          shape: limitsShape,
          rows: ({ limits }) => limits,
          columns: limitColumns,
          none: 'No job waits for a limit, and none is set.',
        },
        options,
      ),
    );
  group
    .command('get')
    .description('Show a limit, and which jobs hold its places.')
    .argument('<key>', 'its name, and = and the key if it has keys')
    .addHelpText('after', examples('limits get import=acme'))
    .action(async (key) => {
      const answer = await api.get(path`/v1/limits/${key}`);
      output.result(answer, limitDetailsShape, (limit) => limitDetails(limit, output.paint));
    });
  group
    .command('set')
    .description('Set how many jobs run at a time under a limit, whatever the code says.')
    .argument('<key>', 'its name, and = and the key if it has keys')
    .argument('<max>', 'a number from 1 to 1000, or none for that of the code', parseMax)
    .addHelpText('after', examples('limits set import=acme 5', 'limits set import=acme none'))
    .action(async (key, max) => {
      const answer = await api.patch(path`/v1/limits/${key}`, { max });
      output.result(answer, stateShape, (state) =>
        state.max === null ? `${key} has as many places as the code says` : `${key} has ${state.max} places`,
      );
    });
  for (const [name, description] of [
    ['pause', 'Pause a limit: running jobs go on, and waiting jobs stay.'],
    ['resume', 'Let jobs of a limit start again, or close a circuit breaker.'],
  ] as const)
    group
      .command(name)
      .description(description)
      .argument('<key>', 'its name, and = and the key if it has keys')
      .addHelpText('after', examples(`limits ${name} import=acme`))
      .action(async (key) => {
        const answer = await api.post(`${path`/v1/limits/${key}`}/${name}`);
        output.result(answer, stateShape, ({ paused }) =>
          paused === null ? `${key} is not paused` : `${key} is paused since ${paused}`,
        );
      });
  group
    .command('skip')
    .description('Let a strict order go on without the failed job that stops it.')
    .argument('<key>', "'order', its name, and = and the key if it has keys")
    .addHelpText('after', examples("limits skip 'order events=acme'"))
    .action(async (key) => {
      const answer = await api.post(`${path`/v1/limits/${key}`}/skip`);
      output.result(answer, skippedShape, ({ skipped }) => `${key} goes on without job ${skipped}`);
    });
};

const skippedShape = z.looseObject({ key: z.string(), skipped: z.string() });

function parseMax(text: string): number | null {
  if (text === 'none') return null;
  try {
    return parseWholeNumber(text);
  } catch {
    throw new InvalidArgumentError('Expected a whole number, or none.');
  }
}
