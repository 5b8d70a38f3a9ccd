import * as z from 'zod';

const moment = z.string().nullable();

/** Something that a suspended job waits for. */
export const waitShape = z.object({
  name: z.string(),
  kind: z.string(),
  signal: z.string().nullable(),
  until: moment,
});

/** The fields of a job that commands read from an answer of the API. */
export const jobShape = z.looseObject({
  id: z.string(),
  jobName: z.string(),
  queue: z.string(),
  priority: z.number(),
  status: z.string(),
  input: z.unknown(),
  output: z.unknown(),
  progress: z.unknown(),
  errors: z.array(
    z.object({
      at: z.string(),
      message: z.string(),
      attempt: z.number(),
      stack: z.string().nullable(),
      /** Missing in answers of earlier versions. */
      causes: z
        .array(z.object({ path: z.string(), message: z.string(), stack: z.string().nullable() }))
        .default([]),
    }),
  ),
  runAt: z.string(),
  created: z.string(),
  started: moment,
  completed: moment,
  cancelRequested: moment,
  retryCounter: z.number(),
  maxRetries: z.number(),
  uniqueKey: z.string().nullable(),
  /** Missing in answers of earlier versions. */
  attempts: z
    .array(
      z.object({
        attempt: z.number(),
        queued: z.string(),
        claimed: z.string(),
        ended: moment,
        outcome: z.string().nullable(),
      }),
    )
    .default([]),
  keys: z.array(z.string()).default([]),
  blockedBy: z.string().nullable().default(null),
  postponedBy: z.string().nullable().default(null),
  steps: z
    .object({ waits: z.array(waitShape) })
    .nullable()
    .default(null),
  group: z.object({ kind: z.string(), id: z.string() }).nullable().default(null),
  parents: z.array(z.string()).nullable().default(null),
  waitsFor: z
    .array(z.object({ kind: z.string(), id: z.string() }))
    .nullable()
    .default(null),
  occurrence: z.object({ item: z.string(), at: z.string() }).nullable(),
});

export type ShownJob = z.output<typeof jobShape>;

/** A job's id and status. */
export const jobStateShape = z.looseObject({ id: z.string(), status: z.string() });

/** A job that was added, and the outcome of adding it. Answers of earlier versions lack the outcome. */
export const addedJobShape = jobStateShape.extend({
  outcome: z.string().default('added'),
  inputDiffers: z.boolean().default(false),
});

/** Returns whether a job has ended and will not change any more. */
export function isSettled(status: string): boolean {
  return ['completed', 'error', 'cancelled'].includes(status);
}
