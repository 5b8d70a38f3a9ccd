import type { DeclaredScheduler } from '../../../src/index.js';
import type { AgendaJob } from './agenda-job.js';
import { readInterval } from './read-interval.js';

/** A job to add for a document of Agenda. The same document always gives the same id. */
export interface JobToImport {
  readonly id: string;
  readonly jobName: string;
  readonly input: unknown;
  /** Undefined means now. */
  readonly runAt: Date | undefined;
  /** Undefined means the default of the job factory. */
  readonly priority: number | undefined;
}

/** Result of converting a document of Agenda. */
export type Conversion =
  | { readonly kind: 'job'; readonly job: JobToImport }
  | {
      readonly kind: 'schedule';
      readonly schedule: DeclaredScheduler;
      /** The job of an occurrence that is overdue, which Agenda would run at once. */
      readonly overdue: JobToImport | undefined;
    }
  /** A one-time job that has run and does not run again. */
  | { readonly kind: 'ended'; readonly status: 'completed' | 'failed' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface ConversionOptions {
  /** The time by the clock of the target database. */
  readonly now: Date;
  /** Time after which Agenda considers a locked job lost, and runs it again. */
  readonly lockLifetimeMs: number;
  /** The time zone of cron expressions that have none of their own. */
  readonly timeZone: string;
  /** Returns the name that jobs of this name have here. */
  readonly jobNameOf: (name: string) => string;
}

/** Decides what becomes of a document of Agenda: the same as if Agenda were started now. */
export function convert(job: AgendaJob, options: ConversionOptions): Conversion {
  const isLost = isLocked(job) && !isRunning(job, options);
  if (isRunning(job, options))
    return refused('Agenda runs it: stop Agenda, or wait until a lock of a dead process has run out');
  if (!isRecurring(job)) return convertOnce(job, isLost, options);
  if (!job.repeatInterval)
    return refused(`it repeats at a time of the day (repeatAt '${job.repeatAt}'): declare a Cron item`);
  if (job.skipDays?.length)
    return refused('it skips days (skipDays): declare a Cron item for the days on which it runs');
  if (job.endDate && job.endDate <= options.now) return refused('it has ended: endDate has passed');
  if (!job.nextRunAt && !isLost) return refused('Agenda has stopped it: nextRunAt is null');
  return convertRecurring(job, isLost, options);
}

function convertOnce(job: AgendaJob, isLost: boolean, options: ConversionOptions): Conversion {
  const { nextRunAt, failedAt, lastFinishedAt, disabled } = job;
  if (!nextRunAt && !isLost) {
    if (!lastFinishedAt) return refused('it was never scheduled: nextRunAt is null');
    return { kind: 'ended', status: failedAt && failedAt >= lastFinishedAt ? 'failed' : 'completed' };
  }
  if (disabled) return refused('it is disabled');
  return { kind: 'job', job: toJob(job, idOf(job), nextRunAt ?? undefined, options) };
}

function convertRecurring(job: AgendaJob, isLost: boolean, options: ConversionOptions): Conversion {
  const { name, data, nextRunAt, lockedAt, startDate, endDate, disabled, repeatTimezone } = job;
  const { now, jobNameOf, timeZone } = options;
  const interval = readInterval(job.repeatInterval ?? '');
  if (interval === undefined)
    return refused(
      `its interval is neither a cron expression nor a text that can be read here (repeatInterval '${job.repeatInterval}'): declare it by hand`,
    );
  const priority = priorityOf(job);
  const startAt = latest(startDate, nextRunAt);
  const due = isLost ? lockedAt : nextRunAt;
  return {
    kind: 'schedule',
    schedule: {
      id: idOf(job),
      ...interval,
      ...(interval.type === 'Cron' && { timeZone: repeatTimezone || timeZone }),
      ...(startAt && startAt > now && { startAt }),
      ...(endDate && { endAt: endDate }),
      ...(priority !== undefined && { jobOptions: { priority } }),
      jobName: jobNameOf(name),
      input: data ?? undefined,
      title: name,
      active: !disabled,
      overlap: 'skip', // Agenda locks the document of a recurring job while it runs
    },
    overdue:
      !disabled && due && due <= now ? toJob(job, `${idOf(job)}-${due.getTime()}`, due, options) : undefined,
  };
}

function toJob(
  job: AgendaJob,
  id: string,
  runAt: Date | undefined,
  { jobNameOf }: ConversionOptions,
): JobToImport {
  return { id, jobName: jobNameOf(job.name), input: job.data ?? undefined, runAt, priority: priorityOf(job) };
}

function refused(reason: string): Conversion {
  return { kind: 'refused', reason };
}

/** Returns whether Agenda starts the job again and again. A job that has an interval ignores its `repeatAt`. */
function isRecurring({ repeatInterval, repeatAt }: AgendaJob): boolean {
  return Boolean(repeatInterval) || Boolean(repeatAt);
}

function isLocked({ lockedAt }: AgendaJob): boolean {
  return Boolean(lockedAt);
}

function isRunning({ lockedAt }: AgendaJob, { now, lockLifetimeMs }: ConversionOptions): boolean {
  return lockedAt ? lockedAt.getTime() + lockLifetimeMs > now.getTime() : false;
}

function idOf({ _id }: AgendaJob): string {
  return `agenda-${_id.toString()}`;
}

/** Turns a priority of Agenda, -20 to 20, into a priority from 1 to 9. Undefined for `normal` and lower priorities. */
function priorityOf({ priority }: AgendaJob): number | undefined {
  return priority && priority > 0 ? Math.min(9, Math.ceil(priority / 2)) : undefined;
}

function latest(...moments: readonly (Date | null | undefined)[]): Date | undefined {
  return moments.flatMap((moment) => moment ?? []).sort((a, b) => b.getTime() - a.getTime())[0];
}
