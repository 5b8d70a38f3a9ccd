import { InvalidArgumentError } from 'commander';
import { durationSchema } from '../../src/duration.js';

/** Parses the value of an option, such as `5m`, or digits alone for milliseconds. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const { data, error } = durationSchema.safeParse(withUnit(text));
  if (data !== undefined) return data;
  throw new InvalidArgumentError(error?.issues[0]?.message ?? '');
}

/** As `parseDuration`, for what is sent: a text with its unit, which the API takes also where all is text. */
export function parseDurationText(text: string): string {
  parseDuration(text);
  return withUnit(text);
}

function withUnit(text: string): string {
  return /^\d+$/.test(text) ? `${text}ms` : text;
}
