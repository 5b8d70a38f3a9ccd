import * as z from 'zod';

const moment = z.string().nullable();
const list = z.array(z.number()).nullable();

/** The fields of a scheduler item that commands read from an answer of the API. */
export const scheduleShape = z.looseObject({
  id: z.string(),
  type: z.string(),
  title: z.string(),
  description: z.string(),
  jobName: z.string(),
  input: z.unknown(),
  active: z.boolean(),
  ended: z.boolean(),
  nextCallTime: moment,
  lastCallTime: moment,
  lastJobId: z.string().nullable(),
  occurrences: z.number(),
  skipped: z.number(),
  timeZone: z.string(),
  catchUp: z.string(),
  overlap: z.string(),
  cron: z.string().nullable(),
  minute: list,
  hour: list,
  dayOfMonth: list,
  month: list,
  dayOfWeek: list,
  delay: z.number().nullable(),
  at: moment,
  declaredBy: z.string().nullable(),
});

export type ShownSchedule = z.output<typeof scheduleShape>;

export const schedulesShape = z.looseObject({
  schedulers: z.array(scheduleShape),
  cursor: z.string().nullable(),
});

export const occurrencesShape = z.object({
  occurrences: z.array(z.object({ at: z.string(), local: z.string() })),
});
