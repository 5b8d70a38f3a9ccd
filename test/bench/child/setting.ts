import { z } from 'zod';
import { neighbourNames, workerNames } from '../contenders/contender.js';

export const taskNames = ['prepare', 'add one', 'add many', 'work', 'latency', 'idle'] as const;

/** What a process is to do: its only argument, as JSON. */
export const settingSchema = z.object({
  contender: z.enum([...workerNames, ...neighbourNames]),
  task: z.enum(taskNames),
  uri: z.string(),
  database: z.string(),
  /** How many jobs run at a time. */
  concurrency: z.int().min(1).default(1),
  wakeUp: z.enum(['none', 'polling', 'own', 'change stream']).default('none'),
  /** Jobs to add; samples of the latency; seconds to be idle. */
  count: z.int().min(0).default(0),
  /** How long a job takes, in milliseconds: at random, and the same for all contenders. */
  jobMs: z.tuple([z.number(), z.number()]).default([0, 0]),
  /** Whether jobs return something. */
  doesReturn: z.boolean().default(false),
});

export type Setting = z.input<typeof settingSchema>;
export type FullSetting = z.output<typeof settingSchema>;

/** What a process measured of itself, from when it was told to begin. */
export const readingSchema = z.object({
  /** In milliseconds since the epoch: when it began, and when the last command that it waited for was answered. */
  began: z.number(),
  ended: z.number(),
  /** Runs of jobs. */
  ran: z.number(),
  /** Commands sent to the database: all of them. */
  commands: z.number(),
  /** Sent and received over its connections. */
  bytes: z.number(),
  /** The most memory that the process had since it started. */
  peakMemoryBytes: z.number(),
  cpuMs: z.number(),
  /** Of the task 'latency': milliseconds from add to start. */
  samples: z.array(z.number()),
});

export type Reading = z.output<typeof readingSchema>;

/** What a process tells the one that started it. */
export const reportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('ran'), count: z.number() }),
  /** An urgent job started, so many milliseconds since the epoch. */
  z.object({ kind: z.literal('urgent'), n: z.number(), at: z.number() }),
  z.object({ kind: z.literal('done'), reading: readingSchema }),
]);

export type Report = z.output<typeof reportSchema>;

/** What it is told: begin; and, when it works, stop, for all jobs have run. */
export const orderSchema = z.enum(['begin', 'stop']);

export type Order = z.output<typeof orderSchema>;
