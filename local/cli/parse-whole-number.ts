import { InvalidArgumentError } from 'commander';

/** Parses the value of an option. @throws InvalidArgumentError */
export function parseWholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}
