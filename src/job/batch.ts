import * as z from 'zod';
import { type Duration, timerDurationSchema } from '../duration.js';
import type { JobContext } from './job-context.js';
import type { LogLineFields } from './log-line.js';

/** Maximum number of jobs in a batch. */
const MAX_SIZE = 1000;

/** How jobs of a kind are batched. */
export interface BatchOptions {
  /** Maximum number of jobs that share a call of `runBatch`, 1 to 1000. */
  readonly size: number;
  /**
   * How long a batch that is not full waits for more jobs, at most half of the worker's remaining time. It begins sooner
   * when it is full, or when another job waits for its thread. Default 0.
   */
  readonly wait?: Duration;
}

/** Resolved options of a batched kind of jobs. */
export interface BatchRules {
  readonly size: number;
  readonly waitMs: number;
}

/** Schema of `batch` in a definition. Resolves the option. Its type is written out for older versions of zod. */
export const batchSchema: z.ZodType<BatchRules> = z
  .strictObject({ size: z.int().min(1).max(MAX_SIZE), wait: timerDurationSchema.default(0) })
  .transform(({ size, wait: waitMs }) => ({ size, waitMs }));

/** A job of a batch. It ends with the call of `runBatch`, or before by `complete` or `fail`. */
export interface BatchedJob<Input = unknown, Returned = unknown>
  extends Omit<JobContext<Input>, 'processor' | 'step' | 'completeIn'> {
  /**
   * Fires when the job is cancelled or its lease is lost, and with the signal of the batch. Others of the batch may go
   * on.
   */
  readonly signal: AbortSignal;
  /** Completes the job with its output. Ignored if the job has ended. */
  complete(output?: Returned): void;
  /**
   * Fails the job, as a function of a single job does by throwing: `RemoteException`, `RetryAfter` and `Snooze` have
   * their meanings. Ignored if the job has ended.
   */
  fail(error: unknown): void;
}

/** The argument of `runBatch`. */
export interface BatchContext<Input = unknown, Returned = unknown>
  extends Pick<JobContext, 'signal' | 'processor'> {
  /** The jobs of the batch: at least one, in the order in which they were claimed. */
  readonly jobs: readonly BatchedJob<Input, Returned>[];
  /** Fires when each job that has not ended is to stop: at the timeout, and when the worker must stop. */
  readonly signal: AbortSignal;
  /** Adds a line to the log of each job that has not ended. */
  log(message: string, fields?: LogLineFields): void;
}

/** The result of `runBatch`: an output for each of `jobs` in their order, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: the type of a function that returns nothing.
export type BatchOutputs<Returned> = readonly Returned[] | undefined | void;

/** The function of a batched kind of jobs. */
export type RunBatch<Input = unknown, Returned = unknown> = (
  context: BatchContext<Input, Returned>,
) => Promise<BatchOutputs<Returned>> | BatchOutputs<Returned>;
