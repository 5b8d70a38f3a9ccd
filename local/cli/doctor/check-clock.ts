import ms from 'ms';
import { type Finding, ok, warning } from './finding.js';

/** Beyond this difference logs are hard to compare. Jobs go by the database's clock alone. */
const TOLERATED_MS = 2_000;

/**
 * Judges how far this machine's clock is off.
 *
 * @param differenceMs of the other clock, positive when it is ahead
 * @param uncertaintyMs the largest error of that difference
 */
export function clockFinding(differenceMs: number, uncertaintyMs: number): Finding {
  const distance = Math.abs(differenceMs);
  if (distance <= TOLERATED_MS + uncertaintyMs) return ok('clock', 'this machine and the database agree');
  const detail = `this machine's clock is ${ms(distance)} ${differenceMs > 0 ? 'behind' : 'ahead'}`;
  return warning(
    'clock',
    detail,
    'Synchronise it (NTP): jobs go by the clock of the database, but logs do not',
  );
}
