/** Argument of a step's function. */
export interface StepContext {
  /** The same in each try of this step in this run of the job, for services that accept such a key. 43 characters. */
  readonly idempotencyKey: string;
  /** Number of the try of this step, from 1. */
  readonly attempt: number;
  /** The signal of the job. */
  readonly signal: AbortSignal;
}
