import ms from 'ms';

/** Returns how far away a moment is: `3m ago`, `in 2h`, or empty if there is no moment. */
export function fromNow(moment: string | null, now = Date.now()): string {
  if (moment === null) return '';
  const distance = Date.parse(moment) - now;
  if (Math.abs(distance) < 1000) return 'now';
  return distance < 0 ? `${ms(-distance)} ago` : `in ${ms(distance)}`;
}

/** Returns the time between two moments, such as `412ms`. Empty if one is missing. */
export function between(from: string | null, to: string | null): string {
  return from === null || to === null ? '' : ms(Math.max(0, Date.parse(to) - Date.parse(from)));
}
