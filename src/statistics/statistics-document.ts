/** What is counted of attempts: how they ended, and how long they took. */
export interface AttemptCounts {
  completed: number;
  /** Ended in `error`. */
  errors: number;
  cancelled: number;
  /** Failed, and queued for another attempt. */
  retried: number;
  /** Put off by the job itself. */
  snoozed: number;
  /** Unfinished when their worker had to stop, and queued again. */
  givenBack: number;
  /** Ended after their lease was lost: changed nothing. */
  stale: number;
  /** Ended by recovery: their workers crashed, or were cut off. */
  recovered: number;
  /** How long the functions of jobs ran in all, in milliseconds. */
  durationMs: number;
}

/** One document of the collection `statistics`: what was counted in one minute of the database's clock. */
export interface StatisticsDocument {
  /** The beginning of the minute. */
  readonly _id: Date;
  /** Of all jobs. Absent members are 0. */
  readonly total?: Partial<AttemptCounts>;
  /** The same by job name, of at most 100 names, each as `nameKey` makes it. */
  readonly names?: Readonly<Record<string, Partial<AttemptCounts>>>;
  /** When it was written last. */
  readonly written: Date;
  readonly expireAt: Date;
}

export const MINUTE_MS = 60_000;

/** All counts at 0. */
export function noCounts(): AttemptCounts {
  return {
    completed: 0,
    errors: 0,
    cancelled: 0,
    retried: 0,
    snoozed: 0,
    givenBack: 0,
    stale: 0,
    recovered: 0,
    durationMs: 0,
  };
}

/** Adds what `more` has to `counts`. */
export function addTo(counts: AttemptCounts, more: Partial<AttemptCounts>): void {
  for (const name of countNames) counts[name] += more[name] ?? 0;
}

/** The members of `AttemptCounts`. */
export const countNames = Object.freeze([
  'completed',
  'errors',
  'cancelled',
  'retried',
  'snoozed',
  'givenBack',
  'stale',
  'recovered',
  'durationMs',
] as const satisfies readonly (keyof AttemptCounts)[]);

/**
 * A job name as the name of a field. Job names may have dots, by which MongoDB separates fields, and may look like
 * numbers; they never have `%`, so that no two names become the same.
 */
export function nameKey(jobName: string): string {
  return `_${jobName.replaceAll('.', '%2E')}`;
}
