import { grouped } from './number.js';
import { SmallBars } from './small-bars.js';

const HOUR_MS = 60 * 60 * 1000;
const HOURS = 24;

interface SparklineProps {
  /** Counts by hour. Hours with a count of 0 may be left out. */
  readonly hours: readonly { readonly at: Date; readonly count: number }[];
  readonly now: Date;
}

/**
 * Shows the counts of the last 24 hours as small bars, the current hour at the right. A label says the same in words.
 */
export function Sparkline({ hours, now }: SparklineProps) {
  const counts = countsUntil(hours, now);
  return <SmallBars bars={counts.map((failed) => ({ completed: 0, failed }))} label={summaryOf(counts)} />;
}

/** Returns 24 counts, the oldest first. */
function countsUntil(hours: SparklineProps['hours'], now: Date): readonly number[] {
  const last = Math.floor(now.getTime() / HOUR_MS);
  const byHour = new Map(hours.map(({ at, count }) => [Math.floor(at.getTime() / HOUR_MS), count]));
  return Array.from({ length: HOURS }, (_, index) => byHour.get(last - (HOURS - 1) + index) ?? 0);
}

function summaryOf(counts: readonly number[]): string {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 'none in the last 24 hours';
  return `${grouped(total)} in the last 24 hours, at most ${grouped(Math.max(...counts))} in an hour`;
}
