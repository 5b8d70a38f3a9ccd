import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as z from 'zod';
import { durationSchema } from '../duration.js';
import { MAX_SLOTS } from '../job/flow-rules.js';
import { childOptionsSchema } from '../job/job-options.js';
import { retryDelaySchema } from '../job/retry-delay.js';
import { schemaProblem } from '../job/schema.js';
import type { StepContext } from '../job/step-context.js';
import { storableText } from '../storable-text.js';

const MAX_NAME = 200;

/** Names of steps and signals. */
export const stepNameSchema = storableText.refine(
  (name) => name.length > 0 && name.length <= MAX_NAME,
  `expected 1 to ${MAX_NAME} characters`,
);

const DEFAULT_DELAY = { kind: 'exponential', base: 1_000 } as const;

/** Maximum number of tries of a compensation. */
const COMPENSATION_TRIES = 5;

const isSchema = z.custom<StandardSchemaV1>((value) => schemaProblem(value) === undefined, {
  error: ({ input }) => schemaProblem(input),
});

const was = z.union([stepNameSchema.transform((name) => [name]), z.array(stepNameSchema)]).default([]);

const retry = z.strictObject({
  attempts: z.int().min(1).max(1000),
  delay: retryDelaySchema.prefault(DEFAULT_DELAY),
});

const compensate = z.custom<(value: unknown, step: StepContext) => unknown>(
  (value) => typeof value === 'function',
  'expected a function',
);

export const stepOptionsSchema = z
  .strictObject({
    was,
    output: isSchema.optional(),
    retry: retry.optional(),
    atMostOnce: z.boolean().default(false),
    compensate: compensate.optional(),
    expectedDuration: durationSchema.default(0),
  })
  .refine(({ retry: again, atMostOnce }) => !(again && atMostOnce), {
    path: ['retry'],
    message: 'expected none beside atMostOnce',
  });

export type ResolvedStepOptions = z.output<typeof stepOptionsSchema>;

/** Returns the retries of a step's compensation. */
export function compensationRetry({ retry: given }: ResolvedStepOptions): z.output<typeof retry> {
  return given ?? retry.parse({ attempts: COMPENSATION_TRIES });
}

export const iterateOptionsSchema = z.strictObject({
  was,
  start: z.unknown(),
  cursor: isSchema.optional(),
});

export const sleepOptionsSchema = z.strictObject({ was });

export const signalOptionsSchema = z.strictObject({
  was,
  schema: isSchema.optional(),
  timeout: durationSchema.optional(),
  signal: stepNameSchema.optional(),
});

export type ResolvedSignalOptions = Omit<z.output<typeof signalOptionsSchema>, 'signal'>;

export const callbackOptionsSchema = signalOptionsSchema.omit({ signal: true });

export const fanOutOptionsSchema = z.strictObject({
  was,
  job: childOptionsSchema.optional(),
  timeout: durationSchema.optional(),
  onError: z.enum(['fail', 'cancel', 'collect']).default('fail'),
  concurrency: z.int().min(1).max(MAX_SLOTS).optional(),
});

export type ResolvedFanOutOptions = z.output<typeof fanOutOptionsSchema>;

export const invokeOptionsSchema = fanOutOptionsSchema
  .pick({ was: true, job: true, timeout: true })
  .extend({ compensate: compensate.optional() });

export const momentSchema = z.date();
