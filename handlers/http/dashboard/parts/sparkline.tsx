import { grouped } from './number.js';

const HOUR_MS = 60 * 60 * 1000;
const HOURS = 24;

/** Size of the drawing, and the width of a bar with its gap. */
const HEIGHT = 20;
const STEP = 4;
const GAP = 1;

interface SparklineProps {
  /** Counts by hour. Those without any may be left out. */
  readonly hours: readonly { readonly at: Date; readonly count: number }[];
  readonly now: Date;
}

/** Shows the counts of the last 24 hours as small bars, the current hour at the right. Told in words too. */
export function Sparkline({ hours, now }: SparklineProps) {
  const counts = countsUntil(hours, now);
  const highest = Math.max(1, ...counts);
  return (
    <svg class="spark" viewBox={`0 0 ${HOURS * STEP} ${HEIGHT}`} role="img" aria-label={summaryOf(counts)}>
      {counts.map((count, index) => {
        // One among many is to be seen too.
        const height = count === 0 ? 0 : Math.max(1, (count / highest) * HEIGHT);
        return count > 0 && <rect x={index * STEP} y={HEIGHT - height} width={STEP - GAP} height={height} />;
      })}
    </svg>
  );
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
