/**
 * Sparse histograms of durations. The bounds of their buckets are the powers of the square root of 2 in milliseconds, as in
 * OpenTelemetry's exponential histogram of scale 1
 * (https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram). So a percentile is off by at most a
 * factor of 1.41, whether jobs take milliseconds or days. Histograms of different times and processes can be added.
 */

/** Stored counts by bucket. Bucket `b0` ends at 1 ms. Bucket `bN` ends at 2 to the power of N/2, in milliseconds. */
export type StoredHistogram = Readonly<Record<string, number>>;

/** Counts by bucket, with the stored names of buckets. The counts can still grow. */
export type Histogram = Map<string, number>;

/** Percentiles of a duration, in milliseconds: 50, 95 and 99 of 100 durations are no longer than these. */
export interface Percentiles {
  /** Number of measured durations. */
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Bucket of all durations above 35 days. With it, a histogram has at most 65 buckets, of 9 bytes each. */
const LAST_BUCKET = 64;

const BUCKETS_PER_DOUBLING = 2;

const keys: readonly string[] = Array.from({ length: LAST_BUCKET + 1 }, (_, bucket) => `b${bucket}`);

/** Counts a duration. A negative one counts as 0. */
export function countDuration(histogram: Histogram, durationMs: number): void {
  const bucket = durationMs <= 1 ? 0 : Math.ceil(Math.log2(durationMs) * BUCKETS_PER_DOUBLING);
  addToBucket(histogram, keys[Math.min(bucket, LAST_BUCKET)] ?? 'b0', 1);
}

/** Adds a stored histogram. */
export function addHistogram(histogram: Histogram, stored: StoredHistogram = {}): void {
  for (const [key, count] of Object.entries(stored)) addToBucket(histogram, key, count);
}

/** Returns the percentiles, or undefined if nothing was measured. */
export function percentilesOf(histogram: Histogram): Percentiles | undefined {
  const buckets = keys.flatMap((key, bucket) => {
    const count = histogram.get(key) ?? 0;
    return count > 0 ? [{ bucket, count }] : [];
  });
  const count = buckets.reduce((sum, { count }) => sum + count, 0);
  if (count === 0) return undefined;
  const at = (share: number) => Math.round(valueAt(buckets, share * count));
  return { count, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/**
 * Returns the duration below which this many durations lie. Within a bucket, they count as evenly spread on the logarithmic
 * scale.
 */
function valueAt(
  buckets: readonly { readonly bucket: number; readonly count: number }[],
  rank: number,
): number {
  let below = 0;
  for (const { bucket, count } of buckets) {
    if (below + count >= rank) {
      const share = (rank - below) / count;
      return bucket === 0 ? share : 2 ** ((bucket - 1 + share) / BUCKETS_PER_DOUBLING);
    }
    below += count;
  }
  return 2 ** (LAST_BUCKET / BUCKETS_PER_DOUBLING);
}

function addToBucket(histogram: Histogram, key: string, count: number): void {
  histogram.set(key, (histogram.get(key) ?? 0) + count);
}
