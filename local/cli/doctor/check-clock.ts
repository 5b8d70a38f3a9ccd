import ms from 'ms';
import { type Finding, ok, warning } from './finding.js';

/** A larger difference makes logs hard to compare. It does not affect jobs, which depend on the database's clock. */
const TOLERATED_MS = 2_000;

/**
 * Judges how far this machine's clock is off.
 *
 * @param differenceMs how far the other clock is ahead of this one, negative if it is behind
 * @param uncertaintyMs the largest error of that difference
 */
export function clockFinding(differenceMs: number, uncertaintyMs: number): Finding {
  const distance = Math.abs(differenceMs);
  if (distance <= TOLERATED_MS + uncertaintyMs) return ok('clock', 'this machine and the database agree');
  const detail = `this machine's clock is ${ms(distance)} ${differenceMs > 0 ? 'behind' : 'ahead'}`;
  return warning(
    'clock',
    detail,
    'Synchronise it (NTP). Jobs use the clock of the database, but logs do not',
  );
}
