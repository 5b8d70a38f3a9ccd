import { CommanderError } from 'commander';
import { RemoteProcessorError, ValidationError } from '../../src/errors.js';
import { exitCode } from './exit-code.js';
import { CommandFailure } from './failure.js';

/** What anything that was thrown means to who called the command. */
export async function toFailure(error: unknown): Promise<CommandFailure> {
  if (error instanceof CommandFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof CommanderError)
    return new CommandFailure(exitCode.usage, `${oneLine(message)}. See --help`, { code: 'wrong_usage' });
  if (error instanceof ValidationError) {
    const { code, issues, subject } = error;
    return new CommandFailure(exitCode.usage, `${subject} is invalid`, { code, issues, cause: error });
  }
  if (await isUnreachable(error)) {
    return new CommandFailure(exitCode.unreachable, `The database cannot be reached: ${message}`, {
      code: 'database_unreachable',
      cause: error,
    });
  }
  const code = error instanceof RemoteProcessorError ? error.code : 'failed';
  return new CommandFailure(exitCode.failed, message, { code, cause: error });
}

/** Loads the driver only now: most commands that fail have it already, and the others end anyway. */
async function isUnreachable(error: unknown): Promise<boolean> {
  const unreachable = await import('../../src/mongo/unreachable.js');
  return unreachable.isUnreachable(error);
}

function oneLine(message: string): string {
  return message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
}
