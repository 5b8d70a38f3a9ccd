import * as z from 'zod';
import { type Duration, durationSchema } from '../duration.js';
import { storableText } from '../job/job-options.js';
import type { CronFields } from './item.js';
import { isTimeZone } from './time-zone.js';

const MIN_DELAY_MS = 1000;

const shared = {
  id: storableText.min(1).max(200).optional(),
  jobName: z.string().min(1),
  input: z.unknown().optional(),
  active: z.boolean().default(false),
  title: storableText.max(1000).default(''),
  description: storableText.max(10_000).default(''),
  timeZone: z.string().refine(isTimeZone, 'expected an IANA time zone such as Europe/Zurich').default('UTC'),
};

const list = (min: number, max: number) => z.array(z.int().min(min).max(max)).default([]);

/** The options of `addScheduler`, by type. */
export const schedulerOptionsSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('Cron'),
    ...shared,
    minute: list(0, 59),
    hour: list(0, 23),
    dayOfMonth: list(1, 31),
    month: list(1, 12),
    dayOfWeek: list(0, 6),
  }),
  z.strictObject({
    type: z.literal('Delay'),
    ...shared,
    delay: durationSchema.refine((delay) => delay >= MIN_DELAY_MS, 'expected a delay of at least 1 second'),
  }),
]);

interface SharedSchedulerOptions {
  /** Made when absent. */
  readonly id?: string;
  /** What it makes: the name of a known job factory. */
  readonly jobName: string;
  /** The input of every job it makes. */
  readonly input?: unknown;
  /** Whether it starts at once. Default false. */
  readonly active?: boolean;
  readonly title?: string;
  readonly description?: string;
  /** IANA name, default `'UTC'`. */
  readonly timeZone?: string;
}

/** A `Cron` item by its lists; one that is left out means every. */
export type CronOptions = { readonly type: 'Cron' } & SharedSchedulerOptions & Partial<CronFields>;

/** A `Delay` item: due every `delay`, at least 1 s. */
export type DelayOptions = { readonly type: 'Delay'; readonly delay: Duration } & SharedSchedulerOptions;

export type SchedulerOptions = CronOptions | DelayOptions;
