import type { StepFunction } from '../job/steps.js';

/** Rules for the steps of all jobs. The testing kit sets its own. */
export interface StepRules {
  /**
   * Longest wait that does not suspend the job, in milliseconds. Waiting in place costs less than suspending the job and
   * claiming it again.
   */
  readonly maxInPlaceMs: number;
  /** Returns the function to call in place of a step's function, if any. */
  readonly replacement?: (jobName: string, step: string) => StepFunction<unknown> | undefined;
}

export const usualStepRules: StepRules = { maxInPlaceMs: 2_000 };
