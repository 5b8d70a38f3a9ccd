import { InvalidArgumentError } from 'commander';

/** Parses a whole number of up to 9 digits. @throws InvalidArgumentError */
export function parseWholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}
