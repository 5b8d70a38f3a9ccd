import { z } from 'zod';
import { limitSchema } from '../bench-limit.js';
import { neighbourNames, workerNames } from '../contenders/contender.js';

export const taskNames = ['prepare', 'add one', 'add many', 'work', 'latency', 'idle'] as const;

/** The task of a process, passed as JSON in its only argument. */
export const settingSchema = z.object({
  contender: z.enum([...workerNames, ...neighbourNames]),
  task: z.enum(taskNames),
  uri: z.string(),
  database: z.string(),
  /** The number of jobs that run at a time. */
  concurrency: z.int().min(1).default(1),
  wakeUp: z.enum(['none', 'polling', 'own', 'change stream']).default('none'),
  /** The number of jobs to add, of samples of the latency, or of seconds to be idle. */
  count: z.int().min(0).default(0),
  /** The duration of a job in milliseconds, random but the same for all contenders. */
  jobMs: z.tuple([z.number(), z.number()]).default([0, 0]),
  /** Whether jobs return something. */
  doesReturn: z.boolean().default(false),
  /** How the jobs are limited. Absent: not at all. */
  limit: limitSchema.optional(),
});

export type Setting = z.input<typeof settingSchema>;
export type FullSetting = z.output<typeof settingSchema>;

/** A process's own measurements, from the order to begin. */
export const readingSchema = z.object({
  /** The times of the beginning and of the last reply that it waited for, in milliseconds since the epoch. */
  began: z.number(),
  ended: z.number(),
  /** The number of runs of jobs. */
  ran: z.number(),
  /** The number of all commands sent to the database. */
  commands: z.number(),
  /** The bytes sent and received over its connections. */
  bytes: z.number(),
  /** The most memory that the process has used since it started. */
  peakMemoryBytes: z.number(),
  cpuMs: z.number(),
  /** Milliseconds from add to start, for the task 'latency'. */
  samples: z.array(z.number()),
});

export type Reading = z.output<typeof readingSchema>;

/** The reports of a process to its parent. */
export const reportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('ran'), count: z.number() }),
  /** An urgent job started at a time in milliseconds since the epoch. */
  z.object({ kind: z.literal('urgent'), n: z.number(), at: z.number() }),
  z.object({ kind: z.literal('done'), reading: readingSchema }),
]);

export type Report = z.output<typeof reportSchema>;

/** The orders to a process: to begin, and for a worker also to stop, once all jobs have run. */
export const orderSchema = z.enum(['begin', 'stop']);

export type Order = z.output<typeof orderSchema>;
