import * as z from 'zod';
import type { SchedulerItem } from '../../src/index.js';
import { bytesAsSent } from '../../src/mongo/read-page.js';
import { documented } from './documented.js';
import { json, moment } from './fields.js';

const list = z.array(z.int()).nullable();

/** A scheduler item as the API shows it. Every member is always present, and null without a value. */
export const schedulerView = z
  .object({
    id: z.string(),
    type: z.enum(['Cron', 'Delay', 'At']),
    title: z.string(),
    description: z.string(),
    jobName: z.string(),
    input: json,
    timeField: z.string().nullable(),
    jobOptions: z.record(z.string(), z.unknown()).nullable(),
    active: z.boolean(),
    ended: z.boolean(),
    nextCallTime: moment.nullable(),
    lastCallTime: moment.nullable(),
    lastJobId: z.string().nullable(),
    occurrences: z.int(),
    skipped: z.int(),
    timeZone: z.string(),
    catchUp: z.string(),
    overlap: z.string(),
    jitter: z.int().nullable(),
    startAt: moment.nullable(),
    endAt: moment.nullable(),
    maxOccurrences: z.int().nullable(),
    cron: z.string().nullable(),
    minute: list,
    hour: list,
    dayOfMonth: list,
    month: list,
    dayOfWeek: list,
    delay: z.int().nullable(),
    at: moment.nullable(),
    declaredBy: z.string().nullable().register(documented, {
      description: 'The processor whose code declares it; null for an item that was made by hand.',
    }),
    version: z.int(),
    leftOut: z.array(z.enum(['input'])).register(documented, {
      description: 'Members that are null because they were not requested, or are too large to send.',
    }),
  })
  .register(documented, {
    id: 'Scheduler',
    description: 'A scheduler item. Members of other types are null. Durations are milliseconds.',
  });

type SchedulerView = z.input<typeof schedulerView>;

/** Members that only some types have. */
type OwnFields = Pick<
  SchedulerView,
  'cron' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek' | 'delay' | 'at'
>;

const none: OwnFields = {
  cron: null,
  minute: null,
  hour: null,
  dayOfMonth: null,
  month: null,
  dayOfWeek: null,
  delay: null,
  at: null,
};

export function toSchedulerView(item: SchedulerItem): SchedulerView {
  return {
    id: item.id,
    type: item.type,
    title: item.title,
    description: item.description,
    jobName: item.jobName,
    input: item.input ?? null,
    timeField: item.timeField ?? null,
    jobOptions: item.jobOptions ?? null,
    active: item.active,
    ended: item.ended ?? false,
    nextCallTime: item.nextCallTime,
    lastCallTime: item.lastCallTime,
    lastJobId: item.lastJobId ?? null,
    occurrences: item.occurrences,
    skipped: item.skipped,
    timeZone: item.timeZone,
    catchUp: item.catchUp,
    overlap: item.overlap,
    jitter: item.jitter ?? null,
    startAt: item.startAt ?? null,
    endAt: item.endAt ?? null,
    maxOccurrences: item.maxOccurrences ?? null,
    ...none,
    ...ownFields(item),
    declaredBy: item.declared?.by ?? null,
    version: item.version,
    leftOut: [],
  };
}

/** Returns the view of an item. Leaves out the input if another program stored one that is too large to send. */
export function toSendableSchedulerView(item: SchedulerItem, maxBytes: number): SchedulerView {
  const view = toSchedulerView(item);
  return bytesAsSent(view) <= maxBytes ? view : { ...view, input: null, leftOut: ['input'] };
}

/** Returns the view of an item that was read without its input. */
export function toBriefSchedulerView(item: SchedulerItem): SchedulerView {
  return { ...toSchedulerView(item), leftOut: ['input'] };
}

function ownFields(item: SchedulerItem): Partial<OwnFields> {
  switch (item.type) {
    case 'Delay':
      return { delay: item.delay };
    case 'At':
      return { at: item.at };
    case 'Cron': {
      if ('cron' in item) return { cron: item.cron };
      const { minute, hour, dayOfMonth, month, dayOfWeek } = item;
      return { minute, hour, dayOfMonth, month, dayOfWeek };
    }
  }
}
