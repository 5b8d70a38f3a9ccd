import type { StepFunction } from '../job/steps.js';

/** Rules for the steps of all jobs. The testing kit has rules of its own. */
export interface StepRules {
  /** A wait up to this time is waited in place, which costs less than to suspend the job and to claim it again. */
  readonly maxInPlaceMs: number;
  /** Returns what is called instead of a step's function. */
  readonly replacement?: (jobName: string, step: string) => StepFunction<unknown> | undefined;
}

export const usualStepRules: StepRules = { maxInPlaceMs: 2_000 };
