import { createInterface } from 'node:readline/promises';
import type { CommandContext } from './context.js';
import { exitCode } from './exit-code.js';
import { CommandFailure } from './failure.js';

/**
 * Asks before doing something that cannot be undone.
 *
 * @param question what would be done
 * @param isAgreed true when `--yes` has answered already
 * @throws CommandFailure when the answer is no, or there is no terminal to ask at
 */
export async function confirm(
  question: string,
  isAgreed: boolean | undefined,
  { stdin, output: { stderr } }: Pick<CommandContext, 'stdin' | 'output'>,
): Promise<void> {
  if (isAgreed) return;
  if (!stdin.isTTY || !stderr.isTTY)
    throw new CommandFailure(exitCode.usage, `${question} Without a terminal to ask at, say --yes`, {
      code: 'wrong_usage',
    });
  const terminal = createInterface({ input: stdin, output: stderr });
  const answer = await terminal.question(`${question} [y/N] `).finally(() => terminal.close());
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new CommandFailure(exitCode.failed, 'Nothing was done', { code: 'not_confirmed' });
}
