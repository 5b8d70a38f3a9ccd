import { InvalidArgumentError } from 'commander';

/** Parses a port number. 0 stands for any free port. @throws InvalidArgumentError */
export function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('Expected a port from 0 to 65535.');
}
