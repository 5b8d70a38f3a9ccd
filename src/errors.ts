import type { Role } from './access/role.js';

/**
 * The errors of this project. Each has a stable `code` and carries its data as fields. Match on these, never on the
 * message.
 */

import { ANY_KIND, brand } from './brand.js';
import { cutText } from './cut-text.js';

export type { Issue } from './issues.js';

import { describeIssues, firstIssues, type Issue, MAX_DETAIL_BYTES } from './issues.js';

/**
 * Base class of the errors. It also matches errors of another copy of this package, as each class of error does. Example:
 * `catch (error) { if (error instanceof RemoteProcessorError) … error.code }`
 */
export abstract class RemoteProcessorError extends Error {
  static {
    brand(RemoteProcessorError, ANY_KIND);
  }

  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/** A value was refused before anything was written. `issues` lists the problems. */
export class ValidationError extends RemoteProcessorError {
  static {
    brand(ValidationError, 'validation_failed');
  }

  readonly code = 'validation_failed';
  /** The first 100 problems. */
  readonly issues: readonly Issue[];

  /** @param subject name of the value, for example "Input of job 'echo'" */
  constructor(
    readonly subject: string,
    issues: readonly Issue[],
  ) {
    super(`${subject} is invalid: ${describeIssues(issues)}`);
    this.issues = firstIssues(issues);
  }
}

/** The schema of a job's input or output failed: its code threw, did not answer within 10 s, or violated Standard Schema. */
export class SchemaFailedError extends RemoteProcessorError {
  static {
    brand(SchemaFailedError, 'schema_failed');
  }

  readonly code = 'schema_failed';

  /** @param subject name of the value, for example "Input of job 'echo'" */
  constructor(
    readonly subject: string,
    /** Message of the error that its code threw. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(
      `${subject} could not be validated: its schema failed: ${cutText(reason, MAX_DETAIL_BYTES)}`,
      options,
    );
  }
}

/** Maximum length of an unknown name in a message. The name itself can have any length. */
const MAX_NAME_BYTES = 200;

/** No job factory has this name. `known` lists the names that exist. */
export class UnknownJobNameError extends RemoteProcessorError {
  static {
    brand(UnknownJobNameError, 'unknown_job_name');
  }

  readonly code = 'unknown_job_name';

  constructor(
    readonly jobName: string,
    readonly known: readonly string[],
  ) {
    const nobody = `No job factory is named '${cutText(String(jobName), MAX_NAME_BYTES)}'`;
    super(
      known.length === 0
        ? `${nobody}, and none is registered: call addJobFactory first.`
        : `${nobody}. Known names: ${known.join(', ')}.`,
    );
  }
}

/** No job, scheduler item, batch, workflow, operation or group of failures has this id. */
export class NotFoundError extends RemoteProcessorError {
  static {
    brand(NotFoundError, 'not_found');
  }

  readonly code = 'not_found';

  constructor(
    readonly kind: 'job' | 'scheduler item' | 'batch' | 'workflow' | 'operation' | 'failure',
    readonly id: string,
  ) {
    super(`There is no ${kind} with the id '${id}'.`);
  }
}

/** The request conflicts with stored data, for example: a settled job cannot be cancelled, or an id is taken. */
export class ConflictError extends RemoteProcessorError {
  static {
    brand(ConflictError, 'conflict');
  }

  readonly code = 'conflict';

  constructor(
    readonly id: string,
    reason: string,
  ) {
    super(reason);
  }
}

/**
 * The caller may not add jobs of this kind, because its `addRole` is higher than the caller's role. Never thrown for
 * code without a role.
 */
export class ForbiddenError extends RemoteProcessorError {
  static {
    brand(ForbiddenError, 'forbidden');
  }

  readonly code = 'forbidden';

  constructor(
    readonly jobName: string,
    readonly required: Role,
    readonly held: Role,
  ) {
    super(`The role '${required}' is required for jobs named '${jobName}', not '${held}'.`);
  }
}

/** The database lacks an index that this version needs. */
export class IndexMissingError extends RemoteProcessorError {
  static {
    brand(IndexMissingError, 'index_missing');
  }

  readonly code = 'index_missing';

  constructor(options?: ErrorOptions, what = 'An index is missing') {
    const remedy =
      'call ensureIndexes (processor.ensureIndexes(), npm run ensure-indexes), as at each deployment of a new version';
    super(`${what}: ${remedy}.`, options);
  }
}

/** A read was ended because it took longer than 15 s on the server. */
export class ReadTimeoutError extends RemoteProcessorError {
  static {
    brand(ReadTimeoutError, 'read_timeout');
  }

  readonly code = 'read_timeout';

  constructor(
    readonly collection: string,
    options?: ErrorOptions,
  ) {
    const remedy =
      'ask for less, make sure that all indexes are there (npm run ensure-indexes), and see what keeps the database busy';
    super(`A read of the collection '${collection}' took too long, and was ended: ${remedy}.`, options);
  }
}

/** An awaited job was not settled in time. The job goes on, and may be awaited again. */
export class WaitTimeoutError extends RemoteProcessorError {
  static {
    brand(WaitTimeoutError, 'wait_timeout');
  }

  readonly code = 'wait_timeout';

  /** @param status status of the job when the time was up */
  constructor(
    readonly id: string,
    readonly status: 'queued' | 'processing',
    readonly timeoutMs: number,
  ) {
    super(`Job '${id}' is still ${status} after ${timeoutMs} ms.`);
  }
}

/** A document of another application in one of our collections. */
export interface ForeignDocument {
  readonly collection: string;
  /** The document's `_id`. */
  readonly id: unknown;
}

/** Our collections hold documents of another application. Nothing was done. */
export class ForeignDocumentsError extends RemoteProcessorError {
  static {
    brand(ForeignDocumentsError, 'foreign_documents');
  }

  readonly code = 'foreign_documents';

  /** @param found one document of each such collection */
  constructor(readonly found: readonly ForeignDocument[]) {
    const list = found.map(
      ({ collection, id }) =>
        `'${collection}', such as the one with the _id ${cutText(JSON.stringify(id) ?? '', MAX_NAME_BYTES)}`,
    );
    super(
      `There are documents that are not of Remote Processor in ${list.join(', and in ')}: nothing was done. Take another prefix (COLLECTION_PREFIX, collectionPrefix), or another database.`,
    );
  }
}

/** An index with a needed name exists, but differs from the needed one. */
export class IndexConflictError extends RemoteProcessorError {
  static {
    brand(IndexConflictError, 'index_conflict');
  }

  readonly code = 'index_conflict';

  /** @param indexes names of the indexes that could not be made, as `collection.index` */
  constructor(
    readonly indexes: readonly string[],
    options?: ErrorOptions,
  ) {
    const reason = 'there are indexes of the same names, or the same keys, that differ from them';
    super(`Not made: ${indexes.join(', ')}; ${reason}. Drop those, then call ensureIndexes again.`, options);
  }
}

/** Duplicates of values that an index keeps unique. */
export interface DuplicateValues {
  /** Name of the index, as `collection.index`. */
  readonly index: string;
  /** The duplicate values as JSON. */
  readonly values: string;
}

/** Unique indexes could not be made, because documents have the same values. All other indexes are made. */
export class DuplicateValueError extends RemoteProcessorError {
  static {
    brand(DuplicateValueError, 'duplicate_value');
  }

  readonly code = 'duplicate_value';

  constructor(readonly duplicates: readonly DuplicateValues[]) {
    const list = duplicates.map(({ index, values }) => `${index}: ${values}`).join('; ');
    super(`Unique indexes were not made, for there are documents with the same values: ${list}.`);
  }
}

/**
 * Thrown by a job to say "do not retry". Its status becomes `error` at once. Any other error is retried until
 * `maxRetries` attempts are used.
 *
 * @example throw new RemoteException('The address does not exist.');
 */
export class RemoteException extends RemoteProcessorError {
  static {
    brand(RemoteException, 'remote_exception');
  }

  readonly code = 'remote_exception';
}

/**
 * A step of a job has failed for good: all its tries failed, or its result cannot be stored. Every later attempt throws this
 * error again at that step. So a job that does not catch it ends in `error` at once. Retrying the job tries the step anew.
 */
export class StepFailedError extends RemoteProcessorError {
  static {
    brand(StepFailedError, 'step_failed');
  }

  readonly code = 'step_failed';

  /** @param reason message of the last failure */
  constructor(
    readonly step: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Step '${step}' failed: ${cutText(reason, MAX_DETAIL_BYTES)}`, options);
  }
}

/**
 * A step with `atMostOnce` was cut off, so nobody knows whether it did its work. A job that does not catch this error ends in
 * `error` at once. Retrying the job runs the step anew.
 */
export class StepInterruptedError extends RemoteProcessorError {
  static {
    brand(StepInterruptedError, 'step_interrupted');
  }

  readonly code = 'step_interrupted';

  constructor(readonly step: string) {
    super(`Step '${step}' was interrupted, and runs at most once: nobody knows whether it did its work.`);
  }
}

/**
 * Middleware gets this error from `next` when an attempt ends between two steps, because the job waits or its time is up. The
 * job goes on in a later attempt. The error is no failure. A job's function never gets it.
 *
 * @example run: async (context, next) => { try { await next(); } catch (error) { if (!(error instanceof JobSuspended))
 * report(error); throw error; } }
 */
export class JobSuspended extends RemoteProcessorError {
  static {
    brand(JobSuspended, 'job_suspended');
  }

  readonly code = 'job_suspended';

  constructor() {
    super('The job is suspended between two steps, and goes on later.');
  }
}

/**
 * Thrown by a job to be retried after a delay of its choice, for example the delay that a service requested. Uses up an
 * attempt, like any error.
 *
 * @example throw new RetryAfter(`${response.headers.get('retry-after')}s`, 'Too many requests');
 */
export class RetryAfter extends RemoteProcessorError {
  static {
    brand(RetryAfter, 'retry_after');
  }

  readonly code = 'retry_after';

  /** @param delay milliseconds, or a string such as `'30s'` */
  constructor(
    readonly delay: number | string,
    message = `Try again after ${delay}.`,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Thrown by a job to postpone itself. The job is queued again, and runs after the delay. No attempt is used up.
 *
 * @example if (!(await isReady())) throw new Snooze('5m');
 */
export class Snooze extends RemoteProcessorError {
  static {
    brand(Snooze, 'snooze');
  }

  readonly code = 'snooze';

  /** @param delay milliseconds, or a string such as `'5m'` */
  constructor(readonly delay: number | string) {
    super(`Put off for ${delay}.`);
  }
}

/**
 * Thrown by a job that was told to slow down, for example by status 429 with Retry-After. Puts off this job and all other jobs
 * under the same rate limit. No attempt is used up. Without a rate limit, it acts as `Snooze`.
 */
export class RateLimited extends RemoteProcessorError {
  static {
    brand(RateLimited, 'rate_limited');
  }

  readonly code = 'rate_limited';

  /** @param delay milliseconds, or a string such as `'30s'` */
  constructor(readonly delay: number | string) {
    super(`The rate limit was exceeded: put off for ${delay}.`);
  }
}

/** Why a running job's signal fires. */
export type AbortReason = 'cancelled' | 'lease lost' | 'stopping' | 'timed out' | 'failed';

/** The `reason` of a running job's AbortSignal. `signal.throwIfAborted()` and `fetch` throw it. */
export class AttemptAbortedError extends RemoteProcessorError {
  static {
    brand(AttemptAbortedError, 'attempt_aborted');
  }

  readonly code = 'attempt_aborted';

  constructor(readonly why: AbortReason) {
    super(`The attempt was aborted: ${abortExplanations[why]}.`);
  }
}

const abortExplanations: Readonly<Record<AbortReason, string>> = {
  cancelled: 'its job is to be cancelled',
  'lease lost': 'its lease was lost, another worker may run the job',
  stopping: 'its worker must stop, the job is given back',
  'timed out': 'it took longer than its timeout',
  failed: 'a promise that it left behind was rejected',
};
