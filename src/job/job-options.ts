import { types } from 'node:util';
import type { ClientSession } from 'mongodb';
import ms from 'ms';
import * as z from 'zod';
import { callerRoleSchema, type Role } from '../access/role.js';
import { hasAddress } from '../dot-segment.js';
import { type Duration, durationSchema } from '../duration.js';
import type { AnySession } from '../mongo/driver-of.js';
import { ELECTION_MS } from '../mongo/election.js';
import { storableText } from '../storable-text.js';
import { type Metadata, metadataSchema } from './metadata.js';
import {
  DEFAULT_RETRY_DELAY_MS,
  type ResolvedRetryDelay,
  type RetryDelay,
  retryDelaySchema,
} from './retry-delay.js';
import {
  type DebounceOptions,
  debounceSchema,
  NOT_BOTH,
  type UniqueOptions,
  uniqueKeySchema,
  uniqueSchema,
} from './unique-rules.js';

/**
 * Default number of attempts in all. Few enough that a broken job is noticed the same day, enough to outlast a brief
 * failure.
 */
export const DEFAULT_MAX_RETRIES = 3;

const priority = z.int().min(0).max(9);
const maxRetries = z.int().min(1).max(1000);

/** Some versions of MongoDB refuse index keys above 1 KB. Ids and keys stay well below. */
export const MAX_ID = 500;
const key = storableText.min(1).max(MAX_ID);
/** Ids of batches and workflows. Their jobs have longer ones. */
export const groupIdSchema = storableText
  .min(1)
  .max(300)
  .refine(...hasAddress);
/** Valid names of queues. */
export const queueSchema = storableText
  .min(1)
  .max(200)
  .refine(...hasAddress);
const queue = queueSchema;
/** Accepts a Date of any realm, such as one made before a test replaced `Date`. Returns a Date of this realm. */
const dateSchema = z
  .custom<Date>((value) => types.isDate(value) && !Number.isNaN(value.getTime()))
  .transform((date) => new Date(date.getTime()));

/** Accepts a Date, or ISO 8601 text with an offset, and returns a Date. */
export const momentSchema = z.union(
  [dateSchema, z.iso.datetime({ offset: true }).transform((text) => new Date(text))],
  {
    error: 'expected a Date, or an ISO 8601 moment with its offset such as 2026-01-31T09:05:06Z',
  },
);

/** How long a settled job is kept. With 0 it is not kept, with `'forever'` until somebody removes it. */
export type KeptFor = Duration | 'forever';

/** How long settled jobs are kept, by how they ended. */
export interface Retention {
  /** Default 7 days. */
  readonly completed?: KeptFor;
  /** Default 7 days. */
  readonly cancelled?: KeptFor;
  /** Default 30 days, enough time to look into them. */
  readonly error?: KeptFor;
}

const keptForSchema = z.union([z.literal('forever'), durationSchema], {
  error:
    "expected 'forever', 0, or another number of milliseconds or string such as '1 day', up to 100 years",
});

export const retentionSchema = z.strictObject({
  completed: keptForSchema.default(ms('7 days')),
  cancelled: keptForSchema.default(ms('7 days')),
  error: keptForSchema.default(ms('30 days')),
});

/** Resolved retention: milliseconds or `'forever'`, by how the job ended. */
export type ResolvedRetention = Readonly<Record<keyof Retention, number | 'forever'>>;

export const DEFAULT_RETENTION: ResolvedRetention = retentionSchema.parse({});

/** Settings of a job factory for its jobs, or the defaults of this package. */
export interface JobDefaults {
  readonly queue: string;
  readonly priority: number;
  readonly maxRetries: number;
  /** Null if the factory's code decides after each attempt. */
  readonly retryDelay: ResolvedRetryDelay | null;
  /** Absent for the defaults. */
  readonly retention?: ResolvedRetention | undefined;
}

/** Defaults that a job factory may set for its jobs. */
export const jobDefaultsSchema = z.strictObject({
  queue: queue.default('default'),
  priority: priority.default(0),
  maxRetries: maxRetries.default(DEFAULT_MAX_RETRIES),
  /** Null lets the factory's code decide after each attempt. */
  retryDelay: retryDelaySchema.nullable().default(DEFAULT_RETRY_DELAY_MS),
  retention: retentionSchema.optional(),
}) satisfies z.ZodType<JobDefaults>;

const moment = { runAt: momentSchema.optional(), delay: durationSchema.optional() };
const overrides = {
  queue: queue.optional(),
  priority: priority.optional(),
  maxRetries: maxRetries.optional(),
  retryDelay: retryDelaySchema.optional(),
};

/** Options that a job may set, in place of its factory's defaults. */
export const jobOverridesSchema = z.strictObject(overrides) satisfies z.ZodType<JobOverrides>;

/** Settings of a job in place of its factory's defaults, with durations in milliseconds. */
export type JobOverrides = {
  readonly queue?: string | undefined;
  readonly priority?: number | undefined;
  readonly maxRetries?: number | undefined;
  readonly retryDelay?: ResolvedRetryDelay | undefined;
};

/** Takes the options that a job does not set from its factory's defaults. */
export function withDefaults(
  { queue, priority, maxRetries, retryDelay }: JobOverrides,
  defaults: JobDefaults,
): JobDefaults {
  return {
    queue: queue ?? defaults.queue,
    priority: priority ?? defaults.priority,
    maxRetries: maxRetries ?? defaults.maxRetries,
    retryDelay: retryDelay ?? defaults.retryDelay,
    retention: defaults.retention,
  };
}

const atMostOneMoment = [
  ({ runAt, delay }: { runAt?: unknown; delay?: unknown }) => runAt === undefined || delay === undefined,
  'give either runAt or delay, not both',
] as const;

type AnyKey = { uniqueKey?: unknown; unique?: unknown; debounce?: unknown };

const hasAtMostOneKey = ({ uniqueKey, unique, debounce }: AnyKey) =>
  [uniqueKey, unique, debounce].filter((given) => given !== undefined).length < 2;
const notOneKey = { path: ['debounce'], error: NOT_BOTH };

const isDebouncedOnly = ({ debounce, runAt, delay }: AnyKey & { runAt?: unknown; delay?: unknown }) =>
  debounce === undefined || (runAt === undefined && delay === undefined);
const notDebouncedOnly = {
  path: ['debounce'],
  error: 'give its own delay, and neither runAt nor delay beside it',
};

const data = {
  id: key.refine(...hasAddress).optional(),
  uniqueKey: uniqueKeySchema.optional(),
  unique: uniqueSchema.optional(),
  debounce: debounceSchema.optional(),
  ...overrides,
  ...moment,
};

/** Options of `addJob` that are plain data, which HTTP callers may send. */
export const addJobDataSchema = z
  .strictObject(data)
  .refine(...atMostOneMoment)
  .refine(hasAtMostOneKey, notOneKey)
  .refine(isDebouncedOnly, notDebouncedOnly);

/** Options of a job in `addJobs`, which may include metadata. */
export const addedJobSchema = z
  .strictObject({ ...data, metadata: metadataSchema.optional() })
  .refine(...atMostOneMoment)
  .refine(hasAtMostOneKey, notOneKey)
  .refine(isDebouncedOnly, notDebouncedOnly);

/** Options of a job that another one adds. Its id is made of the other one's. */
export const childOptionsSchema = z.strictObject({ ...overrides, metadata: metadataSchema.optional() });

/** Options of a job of a workflow. A moment may have come when it need not wait any longer. */
export const workflowJobOptionsSchema = childOptionsSchema.extend(moment).refine(...atMostOneMoment);

/** A session of the caller. */
export const sessionSchema = z
  .custom<ClientSession>(isSession, 'expected a ClientSession of the mongodb driver')
  .optional();

const patience = durationSchema.default(ELECTION_MS);

/** All options of `addJob`. */
export const addJobOptionsSchema = z
  .strictObject({
    ...data,
    metadata: metadataSchema.optional(),
    session: sessionSchema,
    patience,
    callerRole: callerRoleSchema,
  })
  .refine(...atMostOneMoment)
  .refine(hasAtMostOneKey, notOneKey)
  .refine(isDebouncedOnly, notDebouncedOnly);

/** Options of `addJobs` that apply to all jobs together. */
export const addJobsOptionsSchema = z.strictObject({
  session: sessionSchema,
  patience,
  callerRole: callerRoleSchema,
});

function isSession(value: unknown): value is ClientSession {
  return typeof value === 'object' && value !== null && 'inTransaction' in value;
}

export interface AddJobOptions {
  /** Id of the job, generated if absent. Adding the same id and input again is harmless and returns that id. */
  readonly id?: string | undefined;
  /** Queue of the job. Default: the factory's, or `'default'`. */
  readonly queue?: string | undefined;
  /** Priority from 0 to 9, higher first. Default: the factory's, or 0. */
  readonly priority?: number | undefined;
  /** Earliest moment to run. Default: at once. */
  readonly runAt?: Date | string | undefined;
  /** Delay by the database's clock. Cannot be combined with `runAt`. */
  readonly delay?: Duration | undefined;
  /** Number of attempts in all, 1 to 1000. Default: the factory's, or 3. */
  readonly maxRetries?: number | undefined;
  /** Delay between a failed attempt and the next. Default: the factory's, or 10 s. */
  readonly retryDelay?: RetryDelay | undefined;
  /** Short for `unique: { key }`. If an unsettled job of this name has this key, adding returns its id and adds no job. */
  readonly uniqueKey?: string | undefined;
  /**
   * Lets at most one job of this name have the key, and tells what adding does when the key is taken. Default: the
   * factory's.
   */
  readonly unique?: UniqueOptions | undefined;
  /**
   * Each add puts off the waiting job with the key and gives it the new input and options, so it runs once, when no more
   * are added. Cannot be combined with `unique`, `runAt` or `delay`. Default: the factory's.
   */
  readonly debounce?: DebounceOptions | undefined;
  /** Texts by name, at most 2 KB in all. Stored beside the input and visible to middleware. */
  readonly metadata?: Metadata | undefined;
  /** Makes the insert part of the caller's transaction. */
  readonly session?: AnySession | undefined;
  /**
   * Role of the person for whom the job is added. Refused if the factory's `addRole` is higher. Default: code may add
   * any job.
   */
  readonly callerRole?: Role | undefined;
  /**
   * How long to keep trying to add while the database cannot be reached, except in a transaction. Also limits the wait
   * for the kick. Default 13 s, which outlasts an election.
   */
  readonly patience?: Duration | undefined;
}

/** The options of `AddJobOptions` that apply to all jobs of `addJobs` together. */
export type AddJobsOptions = Pick<AddJobOptions, 'session' | 'callerRole' | 'patience'>;

/** Options of a job of a batch or a workflow that are plain data, which HTTP callers may send. */
export const memberOptionsSchema = z.strictObject({ ...overrides, ...moment }).refine(...atMostOneMoment);

export const jobChangesSchema = memberOptionsSchema.refine(
  (changes) => Object.values(changes).some((value) => value !== undefined),
  'expected at least one of queue, priority, maxRetries, retryDelay, runAt, delay',
);

/** The fields of a queued job that `updateJob` can change, as in `AddJobOptions`. */
export type JobChanges = Pick<
  AddJobOptions,
  'queue' | 'priority' | 'maxRetries' | 'retryDelay' | 'runAt' | 'delay'
>;
