import * as z from 'zod';
import type { DeclaredScheduler } from '../src/index.js';
import { loggerSchema } from '../src/log-level.js';

/** Returns a schema that checks only that these are jobs in some form. The processor checks each job later. */
export function jobsOption<Jobs>() {
  return z.custom<Jobs>(
    (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    'expected job factories: a list, an object, or a function of the settings that returns them',
  );
}

/** A schema that checks only that this is a list. The processor checks each item later. */
export const schedulesOption = z.custom<readonly DeclaredScheduler[]>(
  Array.isArray,
  'expected a list of scheduler items',
);

const functionOption = z.custom((value) => typeof value === 'function', 'expected a function').optional();

export const environmentOptionsSchema = z.strictObject({
  env: z.record(z.string(), z.string().optional()).optional(),
  log: loggerSchema.optional(),
});

export const handlerOptionsSchema = environmentOptionsSchema.extend({
  jobs: jobsOption(),
  name: z.string().min(1).max(100).optional(),
  publishMetrics: functionOption,
  extend: functionOption,
  exit: functionOption,
});

export const schedulerHandlerOptionsSchema = handlerOptionsSchema.extend({
  schedules: schedulesOption.optional(),
});
