import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { AddRole } from '../access/role.js';
import type { BreakerRules } from './breaker-rules.js';
import type { FlowRules } from './flow-rules.js';
import type { JobDefaults } from './job-options.js';
import type { RetryDelayFunction } from './retry-delay.js';
import type { UniqueRules } from './unique-rules.js';

/**
 * Everything that a producer needs to know about a kind of job, without the code that does the work. `defineJob` without
 * `run` makes a contract, and `implement` turns it into a job.
 */
export interface JobContract<Input = unknown, Output = unknown, Parsed = unknown, Returned = unknown> {
  readonly name: string;
  readonly defaults: JobDefaults;
  /** Schema that validates inputs. */
  readonly input: StandardSchemaV1<Input, Parsed>;
  /** Schema that validates outputs. */
  readonly output: StandardSchemaV1<Returned, Output>;
  readonly limits: AttemptLimits;
  /** How many of its jobs run at a time, and start in a period. Absent if there is no limit. */
  readonly flow?: FlowRules;
  /** The unique keys of its jobs. Absent if they have none by default. */
  readonly keys?: UniqueRules;
  /** When no more of its jobs start. Absent if it has no circuit breaker. */
  readonly breaker?: BreakerRules;
  /** Paths into the input by whose values its jobs can be found. Absent if there are none. */
  readonly searchable?: readonly string[];
  /** Paths into the input whose values are not shown. Absent if there are none. */
  readonly redact?: readonly string[];
  /** Version of the definition. A lower version never replaces a higher one in the database. */
  readonly version: number;
  /** The least role that may add its jobs. Code is always allowed. */
  readonly addRole: AddRole;
  /** Returns the delay after a failed attempt of a job whose `retryDelay` is null. */
  readonly retryDelay?: RetryDelayFunction;
  /** Parses an input. @throws ValidationError for an input that the schema refuses */
  parseInput(input: unknown): Promise<unknown>;
}

/** How long an attempt may take, and is expected to take. */
export interface AttemptLimits {
  readonly timeoutMs: number;
  readonly expectedMs?: number;
}

/** The input as function arguments, optional where the schema allows that. */
export type InputArguments<Input> = undefined extends Input ? [input?: Input] : [input: Input];
