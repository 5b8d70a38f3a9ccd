const MINUTE_MS = 60_000;

/** Longer than a day, the largest step by which clocks have been set. */
const AROUND_MINUTES = 26 * 60;

/** A minute in milliseconds since the epoch, and a clock's time then as if it were UTC. */
export interface Shown {
  readonly moment: number;
  readonly wall: number;
}

/** Returns a zone's clock by Intl for each minute of the day before a moment and of the day after. */
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
