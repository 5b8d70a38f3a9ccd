const MINUTE_MS = 60_000;

/** Longer than a day, by which clocks have been set. */
const AROUND_MINUTES = 26 * 60;

/** A minute, in milliseconds since the epoch, and what a clock shows then: as if that were UTC. */
export interface Shown {
  readonly moment: number;
  readonly wall: number;
}

/** Minute by minute what a zone's clock shows in the day before a moment and in the day after, by Intl. */
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
