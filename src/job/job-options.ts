import type { ClientSession } from 'mongodb';
import ms from 'ms';
import * as z from 'zod';
import { callerRoleSchema, type Role } from '../access/role.js';
import { hasAddress } from '../dot-segment.js';
import { type Duration, durationSchema } from '../duration.js';
import type { AnySession } from '../mongo/driver-of.js';
import { ELECTION_MS } from '../mongo/election.js';
import { type Metadata, metadataSchema } from './metadata.js';
import { DEFAULT_RETRY_DELAY_MS, type RetryDelay, retryDelaySchema } from './retry-delay.js';
import { storableText } from './storable-text.js';

/** Attempts a job has in all. Few enough that a broken job is seen the same day, enough to outlive a hiccup. */
export const DEFAULT_MAX_RETRIES = 3;

const priority = z.int().min(0).max(9);
const maxRetries = z.int().min(1).max(1000);

/** MongoDB refuses index keys larger than 1 KB in some versions; ids and keys stay well below. */
const key = storableText.min(1).max(500);
/** The name of a queue. */
export const queueSchema = storableText
  .min(1)
  .max(200)
  .refine(...hasAddress);
const queue = queueSchema;
/** A Date, or ISO 8601 with an offset; gives a Date. */
export const momentSchema = z.union(
  [z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))],
  {
    error: 'expected a Date, or an ISO 8601 moment with its offset such as 2026-01-31T09:05:06Z',
  },
);

/** How long a settled job is kept. 0: not at all; `'forever'`: until somebody removes it. */
export type KeptFor = Duration | 'forever';

/** How long settled jobs are kept, by how they ended. */
export interface Retention {
  /** Default 7 days. */
  readonly completed?: KeptFor;
  /** Default 7 days. */
  readonly cancelled?: KeptFor;
  /** Default 30 days: time to look into them. */
  readonly error?: KeptFor;
}

const keptForSchema = z.union([z.literal('forever'), durationSchema], {
  error:
    "expected 'forever', 0, or another number of milliseconds or string such as '1 day', up to 100 years",
});

const retentionSchema = z.strictObject({
  completed: keptForSchema.default(ms('7 days')),
  cancelled: keptForSchema.default(ms('7 days')),
  error: keptForSchema.default(ms('30 days')),
});

/** Milliseconds, or `'forever'`. */
export type ResolvedRetention = z.output<typeof retentionSchema>;

export const DEFAULT_RETENTION: ResolvedRetention = retentionSchema.parse({});

/** The defaults that a job factory may set for its jobs. */
export const jobDefaultsSchema = z.strictObject({
  queue: queue.default('default'),
  priority: priority.default(0),
  maxRetries: maxRetries.default(DEFAULT_MAX_RETRIES),
  /** Null: the factory's code decides after each attempt. */
  retryDelay: retryDelaySchema.nullable().default(DEFAULT_RETRY_DELAY_MS),
  retention: retentionSchema.optional(),
});

/** Resolved: durations in milliseconds. */
export type JobDefaults = z.output<typeof jobDefaultsSchema>;

const moment = { runAt: momentSchema.optional(), delay: durationSchema.optional() };
const overrides = {
  queue: queue.optional(),
  priority: priority.optional(),
  maxRetries: maxRetries.optional(),
  retryDelay: retryDelaySchema.optional(),
};

/** The options that a job may decide for itself, and otherwise its factory. */
export const jobOverridesSchema = z.strictObject(overrides);

type JobOverrides = z.output<typeof jobOverridesSchema>;

/** Fills the options that a job does not decide for itself from its factory. */
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

const data = { id: key.refine(...hasAddress).optional(), uniqueKey: key.optional(), ...overrides, ...moment };

/** The options of `addJob` that are data: what HTTP callers may send. */
export const addJobDataSchema = z.strictObject(data).refine(...atMostOneMoment);

/** The same of code, which may give metadata as well. */
export const addedJobSchema = z
  .strictObject({ ...data, metadata: metadataSchema.optional() })
  .refine(...atMostOneMoment);

const session = z
  .custom<ClientSession>(isSession, 'expected a ClientSession of the mongodb driver')
  .optional();

const patience = durationSchema.default(ELECTION_MS);

/** All options of `addJob`. */
export const addJobOptionsSchema = z
  .strictObject({
    ...data,
    metadata: metadataSchema.optional(),
    session,
    patience,
    callerRole: callerRoleSchema,
  })
  .refine(...atMostOneMoment);

/** The options of `addJobs`, for all jobs together. */
export const addJobsOptionsSchema = z.strictObject({ session, patience, callerRole: callerRoleSchema });

function isSession(value: unknown): value is ClientSession {
  return typeof value === 'object' && value !== null && 'inTransaction' in value;
}

export interface AddJobOptions {
  /** The job's id; made when absent. Adding the same id and input again is harmless: it returns that id. */
  readonly id?: string | undefined;
  /** The queue it waits in. Default: the factory's, else `'default'`. */
  readonly queue?: string | undefined;
  /** 0 to 9, higher first. Default: the factory's, else 0. */
  readonly priority?: number | undefined;
  /** Not before this moment. Default: at once. */
  readonly runAt?: Date | string | undefined;
  /** Not before this long from the database's now. Excludes `runAt`. */
  readonly delay?: Duration | undefined;
  /** How many attempts it has in all, 1 to 1000. Default: the factory's, else 3. */
  readonly maxRetries?: number | undefined;
  /** Between a failed attempt and the next. Default: the factory's, else 10 s. */
  readonly retryDelay?: RetryDelay | undefined;
  /** While an unsettled job of this name has this key, adding returns that job's id instead of a new one. */
  readonly uniqueKey?: string | undefined;
  /** What is stored with the job beside its input, and what middleware sees: texts by names, 2 KB in all. */
  readonly metadata?: Metadata | undefined;
  /** Makes the insert part of the caller's transaction. */
  readonly session?: AnySession | undefined;
  /** Of somebody that it is added for: it is refused when the factory's `addRole` is above it. Default: code may add any. */
  readonly callerRole?: Role | undefined;
  /**
   * For how long it is tried again while the database cannot be reached; not in a transaction. The kick is waited for no
   * longer either. Default 13 s, which outlasts an election.
   */
  readonly patience?: Duration | undefined;
}

/** The options of `addJobs`: of `AddJobOptions`, what concerns all jobs together. */
export type AddJobsOptions = Pick<AddJobOptions, 'session' | 'callerRole' | 'patience'>;

export const jobChangesSchema = z
  .strictObject({ ...overrides, ...moment })
  .refine(...atMostOneMoment)
  .refine(
    (changes) => Object.values(changes).some((value) => value !== undefined),
    'expected at least one of queue, priority, maxRetries, retryDelay, runAt, delay',
  );

/** The fields of a queued job that `updateJob` can change, as in `AddJobOptions`. */
export type JobChanges = Pick<
  AddJobOptions,
  'queue' | 'priority' | 'maxRetries' | 'retryDelay' | 'runAt' | 'delay'
>;
