import { type Filter, ObjectId } from 'mongodb';
import ms from 'ms';
import * as z from 'zod';
import { callerRoleSchema, type Role } from '../access/role.js';
import { definedOf } from '../defined-of.js';
import { type Duration, durationSchema } from '../duration.js';
import { ConflictError, NotFoundError } from '../errors.js';
import type { CappedCount } from '../job/count-jobs.js';
import { isSettled } from '../job/job.js';
import { momentSchema, queueSchema } from '../job/job-options.js';
import { countMatching, type JobConditions, jobConditionsSchema } from '../job/list-jobs.js';
import { byId, byIndex } from '../mongo/by-index.js';
import type { Connected } from '../mongo/connected.js';
import { momentPlaceSchema, readNewestFirst } from '../newest-first.js';
import { type PageFilter, pageSchema } from '../page-filter.js';
import { storableText } from '../storable-text.js';
import { validateNow } from '../validate.js';
import { type OperationHooks, statusesOf } from './change-slice.js';
import {
  byStarted,
  type OperationAction,
  type OperationCollections,
  type OperationDocument,
  type OperationFilter,
  type OperationState,
  operationActions,
} from './operation-document.js';
import { workOnOperations } from './work-on-operations.js';

/** How long an operation can be undone after it ended. */
const UNDO_MS = ms('5 minutes');

/** How long operations are kept. */
const KEPT_MS = ms('30 days');

/** How long the process that receives the call works on an operation at once. The scheduler does the rest. */
const AT_ONCE_MS = 1_000;

/** An operation on many jobs, as `operations.start` takes it. */
export interface NewOperation {
  readonly action: OperationAction;
  /**
   * Conditions on the jobs, at least one. Default of `status`: `error` for retry, `queued` for cancel, move and
   * reprioritise; none for remove.
   */
  readonly filter: JobConditions;
  /**
   * Moment before which the jobs must have been added. Settled jobs must have ended before it. Default: now, by the database's
   * clock.
   */
  readonly endedBefore?: Date | undefined;
  /** Earliest moment at which the jobs may have ended, for settled jobs. Default: any. */
  readonly endedAfter?: Date | undefined;
  /** Spreads the jobs evenly at random over this time. Only for `retry`. */
  readonly spread?: Duration | undefined;
  /** Queue to move the jobs to. Only for `move`. */
  readonly to?: string | undefined;
  /** New priority, 0 to 9. Only for `reprioritise`. */
  readonly priority?: number | undefined;
}

/** Options of `operations.start`. */
export interface StartOptions {
  /** The person who started it, for others to see. */
  readonly by?: string | undefined;
  /**
   * Role of the caller. Jobs that this role may not add are skipped, except for `cancel` and `remove`. Default: no job is
   * skipped.
   */
  readonly callerRole?: Role | undefined;
}

/** How far an operation has come. */
export interface OperationInfo {
  readonly id: string;
  readonly action: OperationAction;
  readonly filter: OperationFilter;
  readonly endedBefore: Date;
  readonly endedAfter?: Date;
  readonly spreadMs?: number;
  readonly to?: string;
  readonly priority?: number;
  readonly by?: string;
  readonly state: OperationState;
  /** Number of jobs that were changed. */
  readonly done: number;
  /** Number of jobs that were skipped: they changed meanwhile, their unique key is taken, or the caller may not add them. */
  readonly skipped: number;
  /** Number of jobs that were restored. */
  readonly undone: number;
  /** How many jobs matched at the start, among the first 5,000 that were searched. */
  readonly total: CappedCount;
  readonly started: Date;
  readonly ended?: Date;
}

/** A page of operations. */
export interface OperationPage {
  readonly operations: readonly OperationInfo[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

export const newOperationSchema = z
  .strictObject({
    action: z.enum(operationActions),
    filter: jobConditionsSchema.extend({
      jobName: storableText.min(1).max(100).optional(),
      queue: storableText.min(1).max(200).optional(),
      failureKey: storableText.min(1).max(200).optional(),
    }),
    endedBefore: momentSchema.optional(),
    endedAfter: momentSchema.optional(),
    spread: durationSchema.optional(),
    to: queueSchema.optional(),
    priority: z.int().min(0).max(9).optional(),
  })
  .superRefine((given, { addIssue }) => {
    for (const [path, message] of problemsOf(given))
      addIssue({ code: 'custom', path: path.split('.'), message });
  });

type Given = Readonly<Pick<NewOperation, 'action' | 'endedBefore' | 'endedAfter' | 'to'>> & {
  readonly filter: JobConditions;
  readonly spread?: number | undefined;
  readonly priority?: number | undefined;
};

/** Returns the options that do not fit together, each with its path. */
function problemsOf({
  action,
  filter,
  endedBefore,
  endedAfter,
  ...options
}: Given): [path: string, message: string][] {
  const problems: [string, string][] = [];
  const expect = (isMet: boolean, path: string, message: string) => {
    if (!isMet) problems.push([path, message]);
  };
  const { status, ...narrow } = filter;
  const isNarrow = Object.values(narrow).some((value) => value !== undefined);
  const statuses = statusesOf[action];
  const one = `expected ${statuses.join(' or ')} for the action '${action}'`;
  expect(status === undefined || statuses.includes(status), 'filter.status', `${one}, not '${status}'`);
  expect(
    status !== undefined || isNarrow,
    'filter',
    'expected at least one condition, such as status or jobName: an empty filter would select all jobs',
  );
  if (endedAfter !== undefined) {
    const settled = status ?? statuses[0];
    expect(
      isSettled(settled),
      'endedAfter',
      `expected only for jobs that have ended, not for ${settled} ones`,
    );
    expect(
      endedBefore === undefined || endedAfter < endedBefore,
      'endedAfter',
      'expected a moment before endedBefore',
    );
  }
  if (action === 'remove') {
    expect(status !== undefined, 'filter.status', one);
    expect(
      isNarrow || (endedBefore ?? endedAfter) !== undefined,
      'filter',
      "expected another condition than the status, endedBefore or endedAfter, for the action 'remove', which cannot be undone",
    );
  }
  for (const [option, owner] of Object.entries(ownerOf)) {
    const isGiven = Reflect.get(options, option) !== undefined;
    const isOwn = action === owner;
    expect(!isGiven || isOwn, option, `expected only for the action '${owner}', not '${action}'`);
    expect(isGiven || !isOwn || option === 'spread', option, `expected for the action '${owner}'`);
  }
  return problems;
}

/** The action that each option belongs to. The option is required with it, except for `spread`. */
const ownerOf = { spread: 'retry', to: 'move', priority: 'reprioritise' } as const satisfies Readonly<
  Record<string, OperationAction>
>;

const startSchema = z.strictObject({ by: z.string().max(500).optional(), callerRole: callerRoleSchema });

const listSchema = pageSchema(momentPlaceSchema);

/** Changes of all jobs that match a filter, however many. They show their progress, and can be stopped and undone. */
export class Operations {
  /** @param kick asks for workers. Never rejects */
  constructor(
    private readonly collections: Connected<OperationCollections>,
    private readonly after: OperationHooks,
    private readonly kick: () => Promise<void>,
  ) {}

  /**
   * Starts an operation on all jobs that match a filter, and works on it for up to a second. Schedulers do the rest, 500 jobs
   * at a time. The operation continues after a crash, and changes no job twice.
   *
   * @returns how far it has come
   * @throws ValidationError, also for an empty filter. Nothing is changed then
   * @example await processor.operations.start({ action: 'retry', filter: { jobName: 'charge' }, spread: '10m' });
   */
  async start(operation: NewOperation, options: StartOptions = {}): Promise<OperationInfo> {
    const { action, filter, endedBefore, endedAfter, spread, to, priority } = validateNow(
      newOperationSchema,
      operation,
      'Operation',
    );
    const { by, callerRole } = validateNow(startSchema, options, 'The call of operations.start');
    const collections = await this.collections();
    const [defaultStatus] = statusesOf[action];
    const full = { status: defaultStatus, ...definedOf(filter) };
    const ended = isSettled(full.status) ? { endedAfter, endedBefore } : {};
    const total = await countMatching(collections.jobs, { ...full, ...ended });
    const _id = new ObjectId().toHexString();
    const given = {
      ...{
        action,
        filter: full,
        state: 'running',
        slices: 0,
        done: 0,
        skipped: 0,
        undoneSlices: 0,
        undone: 0,
        total,
      },
      ...definedOf({ endedAfter, spreadMs: spread, to, priority, by, callerRole }),
    };
    const literal = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, { $literal: value }]),
    );
    const times = {
      endedBefore: endedBefore ?? '$$NOW',
      started: '$$NOW',
      due: '$$NOW',
      expireAt: { $add: ['$$NOW', KEPT_MS] },
    };
    await collections.operations.updateOne({ _id }, [{ $set: { ...literal, ...times } }], {
      upsert: true,
      ...byId,
    });
    await this.#workOn(_id);
    return this.get(_id);
  }

  /** Returns how far an operation has come. @throws NotFoundError */
  async get(id: string): Promise<OperationInfo> {
    const found = await (await this.collections()).operations.findOne({ _id: String(id) }, byId);
    if (found) return toInfo(found);
    throw new NotFoundError('operation', String(id));
  }

  /** Returns a page of operations, newest first. They are kept for 30 days. @throws ValidationError */
  async list(filter: PageFilter = {}): Promise<OperationPage> {
    const page = validateNow(listSchema, filter, 'Filter of operations');
    const { operations } = await this.collections();
    const { documents, cursor } = await byIndex(operations, byStarted, (hint) =>
      readNewestFirst('started', page, (after, options) => operations.find(after, { ...options, ...hint })),
    );
    return { operations: documents.map(toInfo), cursor };
  }

  /**
   * Stops an operation after the slice that is under way. Jobs that were changed stay changed. See `undo`.
   *
   * @throws NotFoundError, or ConflictError if it is not running
   */
  async stop(id: string): Promise<OperationInfo> {
    const { operations } = await this.collections();
    // Whoever works on it finishes its slice before it can be undone.
    const due = { $cond: [{ $eq: [{ $type: '$token' }, 'missing'] }, '$$REMOVE', '$due'] };
    const stopped = await operations.findOneAndUpdate(
      { _id: String(id), state: 'running' },
      [{ $set: { state: 'stopped', ended: '$$NOW', due } }],
      { returnDocument: 'after', ...byId },
    );
    if (stopped) return toInfo(stopped);
    const { state } = await this.get(id);
    throw new ConflictError(id, `Operation '${id}' cannot be stopped: it is ${state}.`);
  }

  /**
   * Undoes an operation for the jobs that have not begun since. Retried jobs are failed again, cancelled jobs are queued again,
   * and moved and reprioritised jobs go back. A running operation is stopped first. Works for up to a second. Schedulers do the
   * rest.
   *
   * @throws NotFoundError, or ConflictError for a removal, for running jobs that were cancelled, or if the operation ended over
   * 5 minutes ago
   */
  async undo(id: string): Promise<OperationInfo> {
    const { operations } = await this.collections();
    const operation = await this.get(id);
    if (!isReversible(operation)) {
      const isRemoval = operation.action === 'remove';
      throw notUndone(id, isRemoval ? 'removed jobs are gone' : 'running jobs have been told to stop');
    }
    const since = { $subtract: ['$$NOW', UNDO_MS] };
    const undoable: Filter<OperationDocument> = {
      _id: String(id),
      state: { $in: ['running', 'done', 'stopped'] },
      $expr: { $gte: [{ $ifNull: ['$ended', '$$NOW'] }, since] },
    };
    const begun = {
      state: 'undoing',
      ended: { $ifNull: ['$ended', '$$NOW'] },
      due: { $ifNull: ['$due', '$$NOW'] },
    };
    const { matchedCount } = await operations.updateOne(undoable, [{ $set: begun }], byId);
    if (matchedCount === 0) {
      const { state } = await this.get(id);
      const isUndone = state === 'undoing' || state === 'undone';
      throw notUndone(id, isUndone ? `it is ${state} already` : 'it ended over 5 minutes ago');
    }
    await this.#workOn(String(id));
    return this.get(id);
  }

  async #workOn(id: string): Promise<void> {
    const hasChanged = await workOnOperations(
      await this.collections(),
      this.after,
      Date.now() + AT_ONCE_MS,
      id,
    );
    if (hasChanged) await this.kick();
  }
}

function notUndone(id: string, reason: string): ConflictError {
  return new ConflictError(id, `Operation '${id}' cannot be undone: ${reason}.`);
}

/** Returns whether an operation can be undone at all. Removed jobs are gone, and jobs that were told to stop do not go on. */
export function isReversible({
  action,
  filter,
}: {
  readonly action: OperationAction;
  readonly filter: JobConditions;
}): boolean {
  return action !== 'remove' && !(action === 'cancel' && filter.status === 'processing');
}

/** Returns whether undoing an operation would do anything now. By the database's clock, the answer may differ. */
export function canBeUndone(operation: OperationInfo, now: Date): boolean {
  const { state, ended = now } = operation;
  const isOver = state === 'undoing' || state === 'undone' || now.getTime() - ended.getTime() > UNDO_MS;
  return isReversible(operation) && !isOver;
}

function toInfo({
  _id: id,
  cursor: _cursor,
  slices: _slices,
  undoneSlices: _undoneSlices,
  due: _due,
  token: _token,
  expireAt: _expireAt,
  callerRole: _callerRole,
  ...rest
}: OperationDocument): OperationInfo {
  return { id, ...rest };
}
