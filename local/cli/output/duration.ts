const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/**
 * A duration that somebody chose, as it would be written in an option: `90m`, not rounded to hours as `ms` does, which is
 * for what was measured.
 */
export function exactDuration(milliseconds: number): string {
  const unit = units.find(([, size]) => milliseconds >= size && milliseconds % size === 0);
  return unit ? `${milliseconds / unit[1]}${unit[0]}` : `${milliseconds}ms`;
}
