import ms from 'ms';

/** How far away a moment is: `3m ago`, `in 2h`; empty for none. */
export function fromNow(moment: string | null, now = Date.now()): string {
  if (moment === null) return '';
  const distance = Date.parse(moment) - now;
  if (Math.abs(distance) < 1000) return 'now';
  return distance < 0 ? `${ms(-distance)} ago` : `in ${ms(distance)}`;
}

/** From one moment to the other, such as `412ms`; empty when one is missing. */
export function between(from: string | null, to: string | null): string {
  return from === null || to === null ? '' : ms(Math.max(0, Date.parse(to) - Date.parse(from)));
}
