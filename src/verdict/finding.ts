/** Severity of a finding. `failure`: jobs fail or do not run. `warning`: it may be intended, or does no harm yet. */
export type Severity = 'failure' | 'warning';

/** The rules by which a deployment is judged. Callers may match them. */
export const findingCodes: readonly FindingCode[] = [
  'no_worker',
  'unclaimed_jobs',
  'lost_jobs',
  'failing_jobs',
  'late_schedules',
  'stuck_limit',
  'stopped_limit',
  'open_breaker',
  'paused_limit',
  'paused_queue',
];

export type FindingCode =
  | 'no_worker'
  | 'unclaimed_jobs'
  | 'lost_jobs'
  | 'failing_jobs'
  | 'late_schedules'
  | 'stuck_limit'
  | 'stopped_limit'
  | 'open_breaker'
  | 'paused_limit'
  | 'paused_queue';

/** The subject of a finding. `name` is the name of a kind of jobs or a queue, the id of a schedule, or the key of a limit. */
export interface FindingSubject {
  readonly type: 'deployment' | 'job' | 'queue' | 'schedule' | 'limit';
  /** Name of the subject. Empty for the whole deployment. */
  readonly name: string;
}

/** Actions that a person can take at once on a finding. */
export const findingActions: readonly FindingAction[] = ['see', 'retry', 'pause', 'resume', 'skip'];

/**
 * Action on a finding. `see`: look at the jobs, or at the subject. `retry`: queue the failed jobs again, by `failureKey` or
 * `jobId`. `pause`: pause `queue`. `resume`: end the pause of the queue or the limit, or close the breaker. `skip`: let a
 * strict order go on without the failed job.
 */
export type FindingAction = 'see' | 'retry' | 'pause' | 'resume' | 'skip';

/** A problem that a rule found. */
export interface VerdictFinding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly about: FindingSubject;
  /** Text of one sentence without a full stop. Holds names, counts and a normalised message, but nothing of a job's payload. */
  readonly text: string;
  /** Advice on what to do. */
  readonly advice: string;
  /** Moment at which the problem began, if known. */
  readonly since: Date | undefined;
  readonly actions: readonly FindingAction[];
  /** Group of the most frequent failure. See `processor.failures`. */
  readonly failureKey?: string | undefined;
  /** The queue to pause. */
  readonly queue?: string | undefined;
  /** The job that other jobs wait for. */
  readonly jobId?: string | undefined;
}

/** Maximum number of findings of a rule. Nobody reads more, and each may cost a read. */
export const MAX_FOUND = 20;

/** Returns the findings of the first subjects. The last finding tells how many more there are. */
export function findingsOf<Subject>(
  subjects: readonly Subject[],
  toFinding: (subject: Subject) => VerdictFinding,
): VerdictFinding[] {
  const more = subjects.length - MAX_FOUND;
  const findings = subjects.slice(0, MAX_FOUND).map(toFinding);
  const last = findings.at(-1);
  if (more <= 0 || !last) return findings;
  return [...findings.slice(0, -1), { ...last, text: `${last.text}; the same holds for ${more} more` }];
}

/** Returns a number of jobs as the subject of a sentence, such as `1 job waits` or `100+ jobs wait`. */
export function jobsThat(
  verb: readonly [singular: string, plural: string],
  count: number,
  most: number,
): string {
  if (count === 1) return `1 job ${verb[0]}`;
  return `${count.toLocaleString('en-US')}${count >= most ? '+' : ''} jobs ${verb[1]}`;
}

/** Returns a number of findings, such as `1 failure` or `2 failures`. */
export function numberOf(count: number, word: Severity): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
