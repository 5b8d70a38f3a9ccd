import type { Role } from './access/role.js';

/**
 * The errors this project throws. Each has a stable `code` and carries its data as fields: match on those,
 * never on the text.
 */

import { ANY_KIND, brand } from './brand.js';
import { cutText } from './cut-text.js';

export type { Issue } from './issues.js';

import { describeIssues, firstIssues, type Issue, MAX_DETAIL_BYTES } from './issues.js';

/**
 * Base class: `catch (error) { if (error instanceof RemoteProcessorError) … error.code }`. An error of another copy of this
 * package is an instance too, of the class of the same name.
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

/** A value was refused before anything was written. `issues` lists what is wrong with it. */
export class ValidationError extends RemoteProcessorError {
  static {
    brand(ValidationError, 'validation_failed');
  }

  readonly code = 'validation_failed';
  /** The first 100. */
  readonly issues: readonly Issue[];

  /** @param subject what was validated, for example "Input of job 'echo'" */
  constructor(
    readonly subject: string,
    issues: readonly Issue[],
  ) {
    super(`${subject} is invalid: ${describeIssues(issues)}`);
    this.issues = firstIssues(issues);
  }
}

/** The schema of a job's input or output could not judge a value: its code threw, did not answer within 10 s, or not as a schema does. */
export class SchemaFailedError extends RemoteProcessorError {
  static {
    brand(SchemaFailedError, 'schema_failed');
  }

  readonly code = 'schema_failed';

  /** @param subject what was to be validated, for example "Input of job 'echo'" */
  constructor(
    readonly subject: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(
      `${subject} could not be validated: its schema failed: ${cutText(reason, MAX_DETAIL_BYTES)}`,
      options,
    );
  }
}

/** What is no name may be as long as somebody likes. */
const MAX_NAME_BYTES = 200;

/** No job factory has this name. `known` lists the names that would have worked. */
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

/** No job, or no scheduler item, has this id. */
export class NotFoundError extends RemoteProcessorError {
  static {
    brand(NotFoundError, 'not_found');
  }

  readonly code = 'not_found';

  constructor(
    readonly kind: 'job' | 'scheduler item',
    readonly id: string,
  ) {
    super(`There is no ${kind} with the id '${id}'.`);
  }
}

/** What was asked does not go with what is stored: a settled job cannot be cancelled, an id is taken, … */
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

/** Who asks may not add jobs of this kind: its `addRole` is above the role that is held. Code that gives no role may. */
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

/** The database lacks an index that this version works with. */
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

/** A read took longer than the database may work for it, 15 s, and was ended. */
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

/** A job that was waited for was not settled in time. It goes on: whoever wants to may wait again. */
export class WaitTimeoutError extends RemoteProcessorError {
  static {
    brand(WaitTimeoutError, 'wait_timeout');
  }

  readonly code = 'wait_timeout';

  /** @param status that the job had when the time was up */
  constructor(
    readonly id: string,
    readonly status: 'queued' | 'processing',
    readonly timeoutMs: number,
  ) {
    super(`Job '${id}' is still ${status} after ${timeoutMs} ms.`);
  }
}

/** A document in a collection of ours that is somebody else's. */
export interface ForeignDocument {
  readonly collection: string;
  /** Its `_id`. */
  readonly id: unknown;
}

/** Collections of our names hold documents that are not ours: they are an application's. Nothing was done. */
export class ForeignDocumentsError extends RemoteProcessorError {
  static {
    brand(ForeignDocumentsError, 'foreign_documents');
  }

  readonly code = 'foreign_documents';

  /** @param found one of each collection that has some */
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

/** An index of a name that is needed is there, and is not the one that is needed. */
export class IndexConflictError extends RemoteProcessorError {
  static {
    brand(IndexConflictError, 'index_conflict');
  }

  readonly code = 'index_conflict';

  /** @param indexes those that could not be made, as `collection.index` */
  constructor(
    readonly indexes: readonly string[],
    options?: ErrorOptions,
  ) {
    const reason = 'there are indexes of the same names, or the same keys, that differ from them';
    super(`Not made: ${indexes.join(', ')}; ${reason}. Drop those, then call ensureIndexes again.`, options);
  }
}

/** Values that an index keeps unique are there twice, and which. */
export interface DuplicateValues {
  /** As `collection.index`. */
  readonly index: string;
  /** As JSON. */
  readonly values: string;
}

/** Unique indexes could not be made: the documents have the same values. All other indexes are made. */
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
 * What a job throws to say "do not retry": its status becomes `error` at once. Any other error is retried
 * until `maxRetries` attempts are used.
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
 * What a job throws to be retried after a delay of its own choosing, such as the one that a service asked for. It uses
 * up an attempt, like any error.
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
 * What a job throws to be put off: it is queued again, to run after the delay, and no attempt is used up.
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

/** Why a running job's signal fires. */
export type AbortReason = 'cancelled' | 'lease lost' | 'stopping' | 'timed out' | 'failed';

/** The `reason` of a running job's AbortSignal: what `signal.throwIfAborted()` and `fetch` throw then. */
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
