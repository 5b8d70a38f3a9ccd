import * as z from 'zod';

const pointShape = z.object({
  at: z.string(),
  completed: z.number(),
  errors: z.number(),
  cancelled: z.number(),
  retried: z.number(),
  durationMs: z.number(),
});

/** What happened from one moment to the next one's. */
export type Point = z.output<typeof pointShape>;

export const statisticsShape = z.looseObject({ statistics: z.array(pointShape) });

/** All together. */
export function sumOf(points: readonly Point[]): Omit<Point, 'at'> {
  const sum = { completed: 0, errors: 0, cancelled: 0, retried: 0, durationMs: 0 };
  for (const point of points)
    for (const name of ['completed', 'errors', 'cancelled', 'retried', 'durationMs'] as const)
      sum[name] += point[name];
  return sum;
}

/** Of an attempt, in milliseconds; undefined when there was none. */
export function averageDuration(point: Omit<Point, 'at'>): number | undefined {
  const { completed, errors, cancelled, retried, durationMs } = point;
  const attempts = completed + errors + cancelled + retried;
  return attempts === 0 ? undefined : Math.round(durationMs / attempts);
}
