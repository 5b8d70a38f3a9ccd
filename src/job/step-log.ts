import type { Failure } from './failure.js';

/** Kind of a step. See `Steps` for each. `invoke` is a `fanOut` of one. A `compensation` undoes another step. */
export type StepKind = 'run' | 'transaction' | 'iterate' | 'sleep' | 'signal' | 'fanOut' | 'compensation';

/**
 * How far a stored step has come:
 * - `begun`: its function was called, and no end is stored. Only for steps with `atMostOnce`
 * - `retrying`: it failed, and is tried again
 * - `iterating`: it has a cursor, and goes on from there
 * - `waiting`: its children are added
 * - `completed`, and `timedOut` for a wait whose signal did not come in time
 * - `failed`: it is not tried again
 */
export type StepState = 'begun' | 'retrying' | 'iterating' | 'waiting' | 'completed' | 'timedOut' | 'failed';

/** States of a step that never runs again in this run of the job. */
export const endStates = ['completed', 'timedOut', 'failed'] as const satisfies readonly StepState[];

/** A step of a job, as it is stored. Times are by the database's clock. */
export interface StepEntry {
  readonly name: string;
  readonly kind: StepKind;
  readonly state: StepState;
  /** When it began, or began to wait. */
  readonly began: Date;
  /** When this was stored. */
  readonly stored: Date;
  /** Failed tries. Absent for none. */
  readonly tries?: number;
  readonly result?: unknown;
  /** The last failure. */
  readonly failure?: Failure;
  /** Place at which an iteration goes on, and the number of its calls in all. */
  readonly cursor?: unknown;
  readonly calls?: number;
}

/** Something that a suspended job waits for. The job goes on at the first of these. */
export interface StepWait {
  /** Name of the step. */
  readonly name: string;
  /** `retry`: the step failed and is tried again. */
  readonly kind: 'sleep' | 'signal' | 'retry' | 'children';
  /** Name of the signal that the step waits for. */
  readonly signal?: string;
  /** Name of the group that the step waits for. */
  readonly on?: string;
  readonly began: Date;
  /** When the job goes on in any case. Absent if the step waits for as long as it takes. */
  readonly until?: Date;
}

/**
 * The part of a job's steps that everybody sees and that claims read. Absent until a step is stored or a signal arrives.
 */
export interface StepsState {
  /** Number of the run, from 1. Each `continueAs` begins another. */
  readonly run: number;
  /** Version of the code with which the run began. Absent until a step is stored. */
  readonly version?: number;
  /** The things that the job waited for when it was last suspended. The job still waits for them until its `runAt`. */
  readonly waits?: readonly StepWait[];
  /** Whether a stored step can be undone, and whether that is under way because the job has failed for good. */
  readonly undo?: 'possible' | 'underWay';
  /** True once the job has added children. */
  readonly children?: true;
}

/** Key of the failure for which the steps are undone. A step of this name would be refused as already used. */
export const FAILURE = '(failure)';

/** A signal that no step has taken yet. */
export interface StoredSignal {
  readonly name: string;
  /** Tells it from the other signals of the job. */
  readonly key: string;
  readonly at: Date;
  readonly payload?: unknown;
}

/** The steps and signals themselves, which only the worker and `jobs.steps` read. */
export interface StepLog {
  readonly entries?: readonly StepEntry[];
  /** Ids of documents that hold older entries. */
  readonly pages?: readonly string[];
  readonly signals?: readonly StoredSignal[];
  /** The ids chosen by the senders of the last 200 signals, so that none is taken twice. */
  readonly signalIds?: readonly string[];
}

/** A change of a step. Replaces the stored entry of the same name. */
export interface StepWrite extends Omit<StepEntry, 'began' | 'stored'> {
  /** How long ago it began, from which the database's clock computes when, in milliseconds. */
  readonly agoMs: number;
  /** Key of the signal that the step takes out of the mailbox. */
  readonly takes?: string;
  /** Whether the step is undone if the job fails for good. */
  readonly isUndoable?: boolean;
}

/** Place at which an iteration goes on. Stored with the reports of the attempt. */
export interface CursorWrite extends StepWrite {
  readonly version: number;
}

/** A wait to be stored. `until` is a moment, or milliseconds from now by the database's clock. */
export interface WaitWrite extends Omit<StepWait, 'began' | 'until'> {
  readonly agoMs: number;
  readonly until?: Date | number;
}

/** Changes of a job's steps by the attempt that holds its lease. */
export interface StepWrites {
  readonly steps: readonly StepWrite[];
  /** Version of the code, stored with the first step of a run. */
  readonly version: number;
  /**
   * Signals that their step refuses. A signal that a link sent has its name as its id. That id is forgotten, so that the
   * link can be used again.
   */
  readonly drops?: readonly Pick<StoredSignal, 'key' | 'name'>[];
  /** A document with older entries, which are removed from the job. */
  readonly page?: { readonly id: string; readonly names: readonly string[] };
}

/**
 * Limits of what a job's document may hold. Signals take 1 MB at most: a large one is taken only while few wait. See
 * `RESERVED_BYTES` in step-journal.ts.
 */
export const MAX_SIGNALS = 100;
export const MAX_SIGNALS_BEFORE_LARGE = 10;
export const LARGE_SIGNAL_BYTES = 4 * 1024;
export const MAX_SIGNAL_IDS = 200;

/** Moment at which a job goes on that waits without a time limit. The last moment with a year of four digits. */
export const NEVER = new Date('9999-12-31T00:00:00Z');
