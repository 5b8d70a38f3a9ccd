import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { parseJson } from '../../handlers/http/parse-json.js';
import type { CommandContext } from './context.js';
import { decodeText } from './decode-text.js';
import { exitCode } from './exit-code.js';
import { CommandFailure } from './failure.js';

/**
 * Reads JSON that an argument gives. The argument is the JSON itself, `@` and the path of a file, or `-` for standard input.
 *
 * @param what the value's name in messages, such as 'The input'
 * @throws CommandFailure if the source cannot be read, or is not JSON
 */
export async function readJson(
  argument: string,
  what: string,
  { stdin }: Pick<CommandContext, 'stdin'>,
): Promise<unknown> {
  const source = await readSource(argument, what, stdin);
  try {
    return parseJson(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(exitCode.usage, `${what} is not JSON: ${reason}`, { code: 'wrong_usage' });
  }
}

async function readSource(argument: string, what: string, stdin: CommandContext['stdin']): Promise<string> {
  if (argument !== '-' && !argument.startsWith('@')) return argument;
  try {
    return decodeText(await (argument === '-' ? buffer(stdin) : readFile(argument.slice(1))));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(exitCode.usage, `${what} cannot be read: ${reason}`, { code: 'wrong_usage' });
  }
}
