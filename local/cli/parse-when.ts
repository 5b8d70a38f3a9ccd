import { InvalidArgumentError } from 'commander';
import { durationSchema } from '../../src/duration.js';

/**
 * Parses an option for a moment. The text is the moment itself, such as `2026-01-31T09:00Z`, or how long ago it was by
 * this machine's clock, such as `1h`. Returns the moment in ISO 8601.
 *
 * @throws InvalidArgumentError
 */
export function parseWhen(text: string, now = Date.now()): string {
  const { data: agoMs } = durationSchema.safeParse(text);
  const isMoment = /^\d{4}-\d\d-\d\d/.test(text);
  const at = new Date(agoMs === undefined ? (isMoment ? text : Number.NaN) : now - agoMs);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new InvalidArgumentError('expected a moment such as 2026-01-31T09:00Z, or how long ago, such as 1h');
}
