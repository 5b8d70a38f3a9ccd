import type { KindCounts } from './statistics-document.js';

/** Returns how many attempts failed. A cancelled, postponed or given back attempt is not a failure. */
export function failedOf({
  errors = 0,
  retried = 0,
  recovered = 0,
}: Pick<KindCounts, 'errors' | 'retried' | 'recovered'>): number {
  return errors + retried + recovered;
}

/** Returns the share of failed attempts among all failed and completed ones: 0 to 1. */
export function failureRateOf(counts: KindCounts): number {
  const failed = failedOf(counts);
  return failed === 0 ? 0 : failed / (failed + (counts.completed ?? 0));
}
