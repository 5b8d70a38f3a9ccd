const MINUTE_MS = 60_000;

/** Longer than a day, the largest step by which clocks have been set. */
const AROUND_MINUTES = 26 * 60;

/** A minute, and the time that a clock shows then, as if in UTC. Both in milliseconds since the epoch. */
export interface Shown {
  readonly moment: number;
  readonly wall: number;
}

/**
 * Returns what a zone's clock shows, according to Intl, for each minute of the day before a moment and of the day
 * after.
 */
export function watchClock(timeZone: string, around: string): Shown[] {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const middle = Date.parse(around);
  return Array.from({ length: 2 * AROUND_MINUTES }, (_, index) => {
    const moment = middle + (index - AROUND_MINUTES) * MINUTE_MS;
    return { moment, wall: Date.parse(`${format.format(moment)} UTC`) };
  });
}
