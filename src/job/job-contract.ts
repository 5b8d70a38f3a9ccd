import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { AddRole } from '../access/role.js';
import type { JobDefaults } from './job-options.js';
import type { RetryDelayFunction } from './retry-delay.js';

/**
 * What a producer needs to know of a kind of job: its name, its schemas, its version and its defaults, without the code
 * that does the work. Made by `defineJob` without `run`; `implement` makes the job of it.
 */
export interface JobContract<Input = unknown, Output = unknown, Parsed = unknown, Returned = unknown> {
  readonly name: string;
  readonly defaults: JobDefaults;
  /** The schema that inputs are validated by. */
  readonly input: StandardSchemaV1<Input, Parsed>;
  /** The schema of what the job returns. */
  readonly output: StandardSchemaV1<Returned, Output>;
  readonly limits: AttemptLimits;
  /** The version of the definition. A lower one does not replace a higher one in the database. */
  readonly version: number;
  /** The least role of a caller who may add its jobs. Code may always. */
  readonly addRole: AddRole;
  /** Decides after each failed attempt of a job whose `retryDelay` is null. */
  readonly retryDelay?: RetryDelayFunction;
  /** @throws ValidationError for an input that the schema refuses */
  parseInput(input: unknown): Promise<unknown>;
}

/** How long one attempt may take, and is expected to take. */
export interface AttemptLimits {
  readonly timeoutMs: number;
  readonly expectedMs?: number;
}

/** The input as an argument: it may be left out where the schema allows that. */
export type InputArguments<Input> = undefined extends Input ? [input?: Input] : [input: Input];
