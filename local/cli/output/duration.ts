const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/**
 * Returns a configured duration in the form that an option accepts, such as `90m`. The function `ms` would round 90
 * minutes to `2h`, which is good enough for measured times only.
 */
export function exactDuration(milliseconds: number): string {
  const unit = units.find(([, size]) => milliseconds >= size && milliseconds % size === 0);
  return unit ? `${milliseconds / unit[1]}${unit[0]}` : `${milliseconds}ms`;
}
