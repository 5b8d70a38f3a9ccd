import { isKind } from '../../src/brand.js';
import { RemoteProcessorError, ValidationError } from '../../src/errors.js';
import { systemCode } from '../../src/mongo/driver-error.js';
import { exitCode } from './exit-code.js';
import { CommandFailure } from './failure.js';

/** Turns anything that was thrown into a failure for the caller of the command. */
export async function toFailure(error: unknown): Promise<CommandFailure> {
  if (error instanceof CommandFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isOfCommander(error))
    return new CommandFailure(exitCode.usage, `${oneLine(message)}. See --help`, { code: 'wrong_usage' });
  if (isKind(error, ValidationError)) {
    const { code, issues, subject } = error;
    return new CommandFailure(exitCode.usage, `${subject} is invalid`, { code, issues, cause: error });
  }
  if (await isUnreachable(error)) {
    return new CommandFailure(exitCode.unreachable, `The database cannot be reached: ${message}`, {
      code: 'database_unreachable',
      cause: error,
    });
  }
  const code = isKind(error, RemoteProcessorError) ? error.code : 'failed';
  return new CommandFailure(exitCode.failed, message, { code, cause: error });
}

/** Returns whether commander threw the error to end the program. The codes of its errors begin with its name. */
export function isOfCommander(error: unknown): error is { readonly code: string; readonly exitCode: number } {
  return systemCode(error)?.startsWith('commander.') ?? false;
}

/**
 * Returns whether an error means that the database is unreachable. Loads the driver here, so that a command that
 * succeeds need not load it.
 */
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
