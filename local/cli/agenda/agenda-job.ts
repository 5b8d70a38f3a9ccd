import type { ObjectId } from 'mongodb';
import * as z from 'zod';
import { fieldOf } from '../../../src/mongo/driver-error.js';

const moment = z.date().nullish();

/** A date of a caller. Agenda 6 stores it as a date. Agenda 4 and 5 store it in the form in which the caller gave it. */
const givenMoment = z
  .union([z.date(), z.number(), z.string()])
  .transform((given) => new Date(given))
  .refine((date) => !Number.isNaN(date.getTime()), 'expected a date')
  .nullish();

/** The fields that are read from a document of Agenda 4, 5 or 6. A missing field means the same as null. */
export const agendaJobSchema = z.object({
  _id: z.custom<ObjectId>((value) => fieldOf(value, '_bsontype') === 'ObjectId', 'expected an ObjectId'),
  name: z.string(),
  data: z.unknown().optional(),
  priority: z.number().nullish(),
  /** Null for a job that does not run again, and for a one-time job that is running. */
  nextRunAt: moment,
  /** Set while a process has the job. It stays set if the process dies. */
  lockedAt: moment,
  lastFinishedAt: moment,
  failedAt: moment,
  disabled: z.boolean().nullish(),
  /** A cron expression, a text such as `3 days and 4 hours`, or milliseconds. */
  repeatInterval: z.union([z.string(), z.number()]).nullish(),
  repeatTimezone: z.string().nullish(),
  /** A text such as `3:30pm`. */
  repeatAt: z.string().nullish(),
  startDate: givenMoment,
  endDate: givenMoment,
  /** Days of the week in Agenda 6. A text such as `2 days` in Agenda 4 and 5. */
  skipDays: z.union([z.string(), z.array(z.number())]).nullish(),
});

export type AgendaJob = z.output<typeof agendaJobSchema>;
