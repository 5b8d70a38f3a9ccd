import { InvalidArgumentError } from 'commander';
import { durationSchema } from '../../src/duration.js';

/** Parses the value of an option, such as `5m`. Digits alone are milliseconds. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const { data, error } = durationSchema.safeParse(withUnit(text));
  if (data !== undefined) return data;
  throw new InvalidArgumentError(error?.issues[0]?.message ?? '');
}

/** Checks like `parseDuration`, but returns the text with its unit. The API accepts that in queries and bodies. */
export function parseDurationText(text: string): string {
  parseDuration(text);
  return withUnit(text);
}

function withUnit(text: string): string {
  return /^\d+$/.test(text) ? `${text}ms` : text;
}
