import type { Duration } from '../duration.js';
import type { SettledStatus } from './job.js';
import type { AddJobOptions } from './job-options.js';
import type { NamedBefore } from './named-before.js';
import type { StepContext } from './step-context.js';

/** Options of the jobs that a step adds. */
export type ChildOptions = Pick<
  AddJobOptions,
  'queue' | 'priority' | 'maxRetries' | 'retryDelay' | 'metadata'
>;

/** Options of a child job that returns `Output`. */
export interface InvokeOptions<Output = unknown> extends NamedBefore {
  /** Options of the job. Default: those of its kind. */
  readonly job?: ChildOptions;
  /** Maximum time to wait. Then the child is cancelled, and the step fails. Default: for as long as it takes. */
  readonly timeout?: Duration;
  /**
   * Undoes what the child did, if the job fails for good after the child has completed. Called with the child's output, in the
   * reverse order of the steps, as a step of its own, and tried five times. Costs another write.
   */
  readonly compensate?: (output: Output, step: StepContext) => unknown;
}

/** Options of a fan-out. */
export interface FanOutOptions extends Omit<InvokeOptions, 'compensate'> {
  /**
   * Effect on the parent when children fail for good, or are cancelled. With `'fail'`, the others go on, and the step
   * fails once all have ended. With `'cancel'`, the others are cancelled, and then the step fails. With `'collect'`,
   * the step completes, and the results tell which failed. Default `'fail'`.
   */
  readonly onError?: 'fail' | 'cancel' | 'collect';
  /** How many of the children run at a time, in all workers together: 1 to 1000. Default: no limit beyond their kind's. */
  readonly concurrency?: number;
}

/** How a job of a group ended. `index` is its number, from 0, in the order in which the jobs were given. */
export type MemberResult<Output = unknown> = { readonly index: number; readonly id: string } & (
  | { readonly status: 'completed'; readonly output: Output }
  | { readonly status: 'error' | 'cancelled'; readonly error: string }
);

/** A settled job of a group, as it is read. */
export interface EndedMember {
  readonly id: string;
  readonly status: SettledStatus;
  readonly output?: unknown;
  /** Message of the last error. */
  readonly error?: string;
}

/** Jobs asked for at a time. Fewer are read if their outputs are large. */
const AT_A_TIME = 1000;

/**
 * How the jobs of a group ended. Reads results when they are asked for, up to 1,000 and 16 MB at a time. So memory never
 * holds all outputs.
 *
 * @example
 * for await (const result of results) if (result.status === 'error') log(result.error);
 */
export class MemberResults<Output = unknown> implements AsyncIterable<MemberResult<Output>> {
  /**
   * @param count number of jobs
   * @param failed number of jobs that failed or were cancelled
   * @param read returns how the jobs from a number on ended. At least one job, and fewer than asked for if they are large
   */
  constructor(
    readonly count: number,
    readonly failed: number,
    private readonly read: (from: number, count: number) => Promise<readonly MemberResult<Output>[]>,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<MemberResult<Output>> {
    for (let from = 0; from < this.count; ) {
      const results = await this.read(from, Math.min(AT_A_TIME, this.count - from));
      if (results.length === 0) return;
      yield* results;
      from += results.length;
    }
  }

  /** Returns the outputs of all jobs, in their order. Jobs that failed are left out. */
  async outputs(): Promise<Output[]> {
    const outputs: Output[] = [];
    for await (const result of this) if (result.status === 'completed') outputs.push(result.output);
    return outputs;
  }
}
