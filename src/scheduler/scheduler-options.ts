import ms from 'ms';
import * as z from 'zod';
import { hasAddress } from '../dot-segment.js';
import { type Duration, durationSchema } from '../duration.js';
import {
  type AddJobOptions,
  type JobOverrides,
  jobOverridesSchema,
  momentSchema,
} from '../job/job-options.js';
import { storableText } from '../storable-text.js';
import type { CronFields } from './calendar/cron-fields.js';
import { cronProblem } from './next-call-time.js';
import { isTimeZone } from './time-zone.js';

export const schedulerTypes = ['Cron', 'Delay', 'At'] as const;

const MIN_DELAY_MS = 1000;

/** Policy for occurrences that were missed during downtime. */
export type CatchUp = 'once' | 'all' | 'none';

const catchUpPolicies = ['once', 'all', 'none'] as const satisfies readonly CatchUp[];

/** Policy for an occurrence that comes while the previous job is not settled. */
export type Overlap = 'allow' | 'skip';

const overlapPolicies = ['allow', 'skip'] as const satisfies readonly Overlap[];

const fields = {
  jobName: z.string().min(1),
  input: z.unknown(),
  timeField: storableText.min(1).max(100),
  jobOptions: jobOverridesSchema,
  title: storableText.max(1000),
  description: storableText.max(10_000),
  timeZone: z.string().refine(isTimeZone, 'expected an IANA time zone such as Europe/Zurich'),
  catchUp: z.enum(catchUpPolicies),
  overlap: z.enum(overlapPolicies),
  jitter: durationSchema.refine(
    (jitter) => jitter > 0 && jitter <= ms('1 day'),
    'expected more than 0, and at most a day',
  ),
  startAt: momentSchema,
  endAt: momentSchema,
  maxOccurrences: z.int().min(1),
};

const shared = {
  id: storableText
    .min(1)
    .max(200)
    .refine(...hasAddress)
    .optional(),
  active: z.boolean().default(false),
  jobName: fields.jobName,
  input: fields.input.optional(),
  timeField: fields.timeField.optional(),
  jobOptions: fields.jobOptions.optional(),
  title: fields.title.default(''),
  description: fields.description.default(''),
  timeZone: fields.timeZone.default('UTC'),
  catchUp: fields.catchUp.default('once'),
  overlap: fields.overlap.default('allow'),
  jitter: fields.jitter.optional(),
  startAt: fields.startAt.optional(),
  endAt: fields.endAt.optional(),
  maxOccurrences: fields.maxOccurrences.optional(),
};

/** Names of the options that all types share. */
export const sharedNames: ReadonlySet<string> = new Set(Object.keys(shared));

/** A list of integers. Its maximum length is the number of possible values, since a longer list would repeat one. */
const list = (min: number, max: number) => z.array(z.int().min(min).max(max)).max(max - min + 1);

const cronFields = {
  cron: storableText.min(1).max(500),
  minute: list(0, 59),
  hour: list(0, 23),
  dayOfMonth: list(1, 31),
  month: list(1, 12),
  dayOfWeek: list(0, 6),
};

const delay = durationSchema.refine(
  (duration) => duration >= MIN_DELAY_MS,
  'expected a delay of at least 1 second',
);

const cronSchema = z
  .strictObject({
    type: z.literal('Cron'),
    ...shared,
    ...z.object(cronFields).partial().shape,
  })
  .superRefine(({ cron, timeZone, ...lists }, context) => {
    if (cron === undefined) return;
    const given = listNames.filter((name) => lists[name] !== undefined);
    const problem =
      given.length > 0 ? `give either an expression or lists, not both (${given.join(', ')})` : undefined;
    const message = problem ?? cronProblem(cron, isTimeZone(timeZone) ? timeZone : 'UTC');
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['cron'], message });
  })
  .transform(({ cron, minute = [], hour = [], dayOfMonth = [], month = [], dayOfWeek = [], ...rest }) =>
    cron === undefined ? { ...rest, minute, hour, dayOfMonth, month, dayOfWeek } : { ...rest, cron },
  );

/** The options of `addScheduler`, by type. Parsed options have durations in milliseconds and moments as dates. */
export const schedulerOptionsSchema = z
  .discriminatedUnion('type', [
    cronSchema,
    z.strictObject({ type: z.literal('Delay'), ...shared, delay }),
    z.strictObject({ type: z.literal('At'), ...shared, at: momentSchema }),
  ])
  .refine(({ startAt, endAt }) => !startAt || !endAt || startAt <= endAt, {
    path: ['endAt'],
    message: 'expected a moment that is not before startAt',
  });

/**
 * The changes that `updateScheduler` accepts, each checked on its own. `updateScheduler` then checks the resulting
 * item.
 */
export const schedulerChangesSchema = z.strictObject({
  type: z.enum(schedulerTypes).optional(),
  active: z.boolean().optional(),
  jobName: fields.jobName.optional(),
  input: fields.input.optional(),
  timeField: fields.timeField.nullish(),
  jobOptions: fields.jobOptions.nullish(),
  title: fields.title.nullish(),
  description: fields.description.nullish(),
  timeZone: fields.timeZone.nullish(),
  catchUp: fields.catchUp.nullish(),
  overlap: fields.overlap.nullish(),
  jitter: fields.jitter.nullish(),
  startAt: fields.startAt.nullish(),
  endAt: fields.endAt.nullish(),
  maxOccurrences: fields.maxOccurrences.nullish(),
  cron: cronFields.cron.nullish(),
  minute: cronFields.minute.nullish(),
  hour: cronFields.hour.nullish(),
  dayOfMonth: cronFields.dayOfMonth.nullish(),
  month: cronFields.month.nullish(),
  dayOfWeek: cronFields.dayOfWeek.nullish(),
  delay: delay.optional(),
  at: momentSchema.optional(),
});

export const listNames = [
  'minute',
  'hour',
  'dayOfMonth',
  'month',
  'dayOfWeek',
] as const satisfies readonly (keyof CronFields)[];

/** The options that all types of items share, in stored form: durations are milliseconds. */
export interface SharedDefinition {
  readonly jobName: string;
  readonly input?: unknown;
  readonly timeField?: string | undefined;
  readonly jobOptions?: JobOverrides | undefined;
  readonly title: string;
  readonly description: string;
  readonly timeZone: string;
  readonly catchUp: CatchUp;
  readonly overlap: Overlap;
  readonly jitter?: number | undefined;
  readonly startAt?: Date | undefined;
  readonly endAt?: Date | undefined;
  readonly maxOccurrences?: number | undefined;
}

/** Everything about an item that a person decides, in stored form. */
export type SchedulerDefinition = SharedDefinition &
  (
    | { readonly type: 'Cron'; readonly cron: string }
    | ({ readonly type: 'Cron' } & Record<keyof CronFields, number[]>)
    | { readonly type: 'Delay'; readonly delay: number }
    | { readonly type: 'At'; readonly at: Date }
  );

/** The options that all types of scheduler items share. */
export interface SharedSchedulerOptions {
  /** Default: a new id. */
  readonly id?: string | undefined;
  /** Name of a known job factory. The item makes its jobs. */
  readonly jobName: string;
  /** The input of every job, at most 64 KB as BSON. */
  readonly input?: unknown;
  /** The input field that is set to the occurrence's moment, as ISO 8601 text. */
  readonly timeField?: string | undefined;
  /** Options of its jobs. Default: the factory's. */
  readonly jobOptions?: Pick<AddJobOptions, 'queue' | 'priority' | 'maxRetries' | 'retryDelay'> | undefined;
  /** Whether the item is active at once. Default false. */
  readonly active?: boolean | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** An IANA name, default `'UTC'`. */
  readonly timeZone?: string | undefined;
  /**
   * Policy for occurrences that are more than 90 s late, for example after downtime. `once` makes one job for all of them, with
   * the oldest moment. `all` makes one for each. `none` makes none. An occurrence that is less late always gets its job.
   * Default `once`.
   */
  readonly catchUp?: CatchUp | undefined;
  /** `skip` makes no job while the previous occurrence's job is not settled. Default `allow`. */
  readonly overlap?: Overlap | undefined;
  /** Spreads jobs that are due together. Each job runs later by a random part of this duration, which is at most a day. */
  readonly jitter?: Duration | undefined;
  /** The earliest moment of an occurrence. */
  readonly startAt?: Date | string | undefined;
  /** The latest moment of an occurrence. */
  readonly endAt?: Date | string | undefined;
  /** The number of occurrences after which the item ends. */
  readonly maxOccurrences?: number | undefined;
}

/** A `Cron` item given by lists, all of which must match. A missing list matches every value. */
export type CronListsOptions = { readonly type: 'Cron' } & SharedSchedulerOptions & Partial<CronFields>;

/** A `Cron` item given by an expression of five fields, or six with the seconds first: `'0 9 * * MON-FRI'`, `'@daily'`. */
export type CronOptions = { readonly type: 'Cron'; readonly cron: string } & SharedSchedulerOptions;

/**
 * A `Delay` item, due again after each `delay` (at least 1 s). First due at `startAt` if that is in the future, otherwise one
 * delay after activation.
 */
export type DelayOptions = { readonly type: 'Delay'; readonly delay: Duration } & SharedSchedulerOptions;

/** An `At` item, due once. */
export type AtOptions = { readonly type: 'At'; readonly at: Date | string } & SharedSchedulerOptions;

export type SchedulerOptions = CronListsOptions | CronOptions | DelayOptions | AtOptions;

/** The changes that `updateScheduler` makes: any option except the id. Null removes an optional one. */
export type SchedulerChanges = {
  readonly [Key in keyof ChangeableOptions]?:
    | ChangeableOptions[Key]
    | (Key extends 'type' | 'active' | 'jobName' | 'delay' | 'at' ? undefined : null | undefined);
};

/** The options of all types of scheduler items, except the id. */
export type ChangeableOptions = Omit<SharedSchedulerOptions, 'id'> &
  CronFields & {
    readonly type: SchedulerOptions['type'];
    readonly cron: string;
    readonly delay: Duration;
    readonly at: Date | string;
  };
