import type { endStates, StepKind } from './step-log.js';

/** A call of a step's function. */
export interface StepCall {
  readonly step: string;
  readonly kind: StepKind;
  /** Number of the try of the step, from 1. */
  readonly attempt: number;
}

/** A step that has ended. */
export interface EndedStep {
  readonly step: string;
  readonly kind: StepKind;
  readonly state: (typeof endStates)[number];
  /** Number of its tries, including failed ones. 0 for a wait. */
  readonly tries: number;
  /** How long its last try took, or how long it waited, in milliseconds. For an iteration, the part in this attempt. */
  readonly durationMs: number;
}
