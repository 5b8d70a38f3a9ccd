/** Returns the middle value, or the mean of the two in the middle. @throws Error if there are no values */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Returns a quantile, interpolated linearly between the two nearest of the sorted values.
 *
 * @param q 0 to 1
 * @throws Error if there are no values
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new Error('There is no median of nothing.');
  return below + (above - below) * (at - Math.floor(at));
}

/** Returns the largest distance of a value from the median, relative to the median: 0.05 is 5 %. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  if (middle === 0) return 0;
  return Math.max(...values.map((value) => Math.abs(value - middle))) / Math.abs(middle);
}

/** The advantage of one contender over another. */
export interface Advantage {
  /** The median of the rounds' ratios. 2 is twice as good. */
  readonly times: number;
  /** Whether every round agrees, and by more than the noise. */
  readonly isCertain: boolean;
}

/**
 * Compares two contenders round by round, because a disturbance of a round hits both.
 *
 * @param noise the relative difference that chance may explain: 0.05 is 5 %
 */
export function advantage(
  ours: readonly number[],
  theirs: readonly number[],
  better: 'more' | 'less',
  noise: number,
): Advantage | undefined {
  const rounds = ours.flatMap((our, round) => {
    const their = theirs[round];
    return their === undefined ? [] : [better === 'more' ? our / their : their / our];
  });
  if (rounds.length === 0) return undefined;
  const isCertain =
    rounds.every((times) => times > 1 + noise) || rounds.every((times) => times < 1 / (1 + noise));
  return { times: median(rounds), isCertain };
}
