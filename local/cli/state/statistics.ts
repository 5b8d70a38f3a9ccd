import * as z from 'zod';

const pointShape = z.object({
  at: z.string(),
  completed: z.number(),
  errors: z.number(),
  cancelled: z.number(),
  retried: z.number(),
  snoozed: z.number(),
  suspended: z.number().default(0),
  givenBack: z.number(),
  stale: z.number(),
  durationMs: z.number(),
});

/** The attempts of one step of time, counted by how they ended. */
export type Point = z.output<typeof pointShape>;

export type Counters = Omit<Point, 'at'>;

const waitsShape = z.object({ limit: z.string(), waits: z.number(), waitedMs: z.number() });

/** The time that jobs waited for limits of one name. */
export type Waits = z.output<typeof waitsShape>;

export const statisticsShape = z.looseObject({
  statistics: z.array(pointShape),
  /** Missing in answers of earlier versions. */
  waits: z.array(waitsShape).default([]),
});

const zero: Counters = {
  completed: 0,
  errors: 0,
  cancelled: 0,
  retried: 0,
  snoozed: 0,
  suspended: 0,
  givenBack: 0,
  stale: 0,
  durationMs: 0,
};

/** Adds up the counters of all points. */
export function sumOf(points: readonly Counters[]): Counters {
  return points.reduce(
    (sum, point) => ({
      completed: sum.completed + point.completed,
      errors: sum.errors + point.errors,
      cancelled: sum.cancelled + point.cancelled,
      retried: sum.retried + point.retried,
      snoozed: sum.snoozed + point.snoozed,
      suspended: sum.suspended + point.suspended,
      givenBack: sum.givenBack + point.givenBack,
      stale: sum.stale + point.stale,
      durationMs: sum.durationMs + point.durationMs,
    }),
    zero,
  );
}

/** Returns the average duration of an attempt in milliseconds, or undefined when there was none. */
export function averageDuration({ durationMs, ...ends }: Counters): number | undefined {
  const attempts = Object.values(ends).reduce((sum, count) => sum + count, 0);
  return attempts === 0 ? undefined : Math.round(durationMs / attempts);
}
