import type { Doc } from '../bson/decode.js';
import { CommandError } from '../errors.js';

/** Throws if an option is set that this server lacks. The server must never ignore an option. */
export function requireSupported(body: Doc, options: readonly string[]): void {
  for (const option of options) {
    const value = body[option];
    if (value === undefined || value === false) continue;
    throw new CommandError(238, `the option '${option}' is not supported by this server`);
  }
}
