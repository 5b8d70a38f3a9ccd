import {
  attemptsOf,
  type Job,
  type JobAttempt,
  type JobError,
  type JobLog,
  type JobLogLine,
} from '../../../src/index.js';
import { CopyButton } from './parts/copy-button.js';
import { duration, ExactMoment } from './parts/moment.js';
import { grouped } from './parts/number.js';

interface AttemptsProps {
  readonly job: Job;
  readonly log: JobLog;
  readonly now: Date;
}

/** The facts of an attempt. Without `attempt`, these are facts of attempts that are no longer kept. */
interface Told {
  readonly attempt: JobAttempt | undefined;
  readonly errors: JobError[];
  readonly lines: JobLogLine[];
}

/** Shows the attempts of a job as bars, newest first, each with its errors and its lines of the log. */
export function Attempts({ job, log, now }: AttemptsProps) {
  const attempts = attemptsOf(job);
  const told = toldBy(attempts, job.errors, log.lines);
  if (told.length === 0) return null;
  const longest = Math.max(...attempts.map((attempt) => waitOf(attempt) + (runOf(attempt, now) ?? 0)), 1);
  const [latest] = told;
  return (
    <section class="card" aria-labelledby="attempts-title">
      <h2 id="attempts-title">Attempts</h2>
      <Dropped errors={job.errorsDropped ?? 0} lines={log.dropped} />
      <ol class="attempts" reversed>
        {told.map((each) => (
          <li id={`attempt-${each.attempt?.claimed.getTime() ?? 'earlier'}`}>
            <Heading attempt={each.attempt} now={now} />
            {each.attempt && <Bar attempt={each.attempt} longest={longest} now={now} />}
            {each.errors.map((error, index) => (
              <Failure error={error} isOpen={each === latest && index === each.errors.length - 1} />
            ))}
            {each.lines.length > 0 && <Lines lines={each.lines} of={each.attempt} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Dropped({ errors, lines }: { errors: number; lines: number }) {
  const dropped = [
    ...(errors > 0 ? [`${grouped(errors)} older errors`] : []),
    ...(lines > 0 ? [`${grouped(lines)} older lines of the log`] : []),
  ];
  return dropped.length === 0 ? null : <p class="quiet">{dropped.join(' and ')} were dropped.</p>;
}

/** Assigns each error and line of the log to its attempt. The newest attempt is the first. */
function toldBy(
  attempts: readonly JobAttempt[],
  errors: readonly JobError[],
  lines: readonly JobLogLine[],
): readonly Told[] {
  const told: Told[] = attempts.map((attempt) => ({ attempt, errors: [], lines: [] }));
  const earlier: Told = { attempt: undefined, errors: [], lines: [] };
  // An attempt that was given back has the number of the next one. A line may seem older than its attempt by a moment.
  const during = ({ at, attempt: number }: { readonly at: Date; readonly attempt: number }) => {
    const alike = told.filter(({ attempt }) => attempt?.attempt === number);
    return alike.findLast(({ attempt }) => attempt && attempt.claimed <= at) ?? alike[0] ?? earlier;
  };
  for (const error of errors) during(error).errors.push(error);
  for (const line of lines) during(line).lines.push(line);
  const isTold = earlier.errors.length + earlier.lines.length > 0;
  return [...(isTold ? [earlier] : []), ...told].reverse();
}

function Heading({ attempt, now }: { attempt: JobAttempt | undefined; now: Date }) {
  if (!attempt) return <h3>Earlier ones</h3>;
  const run = runOf(attempt, now);
  const { outcome } = attempt;
  return (
    <h3>
      Attempt {Math.max(1, attempt.attempt)}{' '}
      <span class={`status ${classOf(attempt)}`}>{outcome === undefined ? 'runs' : words[outcome]}</span>{' '}
      <span class="quiet">
        <ExactMoment at={attempt.claimed} />, waited {duration(waitOf(attempt))}
        {run !== undefined && `, ran ${duration(run)}`}
      </span>
    </h3>
  );
}

const words = {
  failed: 'failed, tried again',
  lost: 'lost its worker',
  givenBack: 'given back',
  snoozed: 'put itself off',
  suspended: 'suspended',
  continued: 'began anew',
  completed: 'completed',
  error: 'error',
  cancelled: 'cancelled',
} as const;

function classOf({ outcome }: JobAttempt): string {
  if (outcome === undefined) return 'processing';
  if (outcome === 'failed' || outcome === 'lost') return 'error';
  return ['completed', 'error', 'cancelled'].includes(outcome) ? outcome : 'queued';
}

const WIDTH = 1000;

/** Least width of a part of a bar, in units of the drawing. So a short run stays visible beside a long wait. */
const LEAST = 4;

/**
 * Shows how long a job waited, in grey, and how long it ran, in the colour of its end. The heading says the same in
 * words.
 */
function Bar({ attempt, longest, now }: { attempt: JobAttempt; longest: number; now: Date }) {
  const widthOf = (ms: number) => Math.max(LEAST, Math.round((ms / longest) * (WIDTH - 2 * LEAST)));
  const wait = widthOf(waitOf(attempt));
  return (
    <svg class="attempt" viewBox={`0 0 ${WIDTH} 10`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="wait" width={wait} height="10" />
      <rect class={classOf(attempt)} x={wait} width={widthOf(runOf(attempt, now) ?? 0)} height="10" />
    </svg>
  );
}

function waitOf({ queued, claimed }: JobAttempt): number {
  return Math.max(0, claimed.getTime() - queued.getTime());
}

function runOf({ claimed, ended }: JobAttempt, now: Date): number | undefined {
  return Math.max(0, (ended ?? now).getTime() - claimed.getTime());
}

function Failure({ error, isOpen }: { error: JobError; isOpen: boolean }) {
  const { at, attempt, message, stack, causes = [] } = error;
  const id = `error-${at.getTime()}-${attempt}`;
  return (
    <details class="failure" open={isOpen} id={id}>
      <summary>
        <span class="quiet">
          Attempt {attempt}, <ExactMoment at={at} />
        </span>{' '}
        <span class="error-text">{message}</span>
      </summary>
      {stack === undefined ? (
        <p class="quiet">It has no stack.</p>
      ) : (
        <>
          <CopyButton what="the stack" text={stack} />
          <pre class="code">{stack}</pre>
        </>
      )}
      {causes.map((cause) => (
        <>
          <p class="quiet">
            {cause.path}: {cause.name}
          </p>
          <pre class="code">{cause.stack ?? cause.message}</pre>
        </>
      ))}
    </details>
  );
}

function Lines({ lines, of }: { lines: readonly JobLogLine[]; of: JobAttempt | undefined }) {
  const label = of ? `Log of attempt ${of.attempt}, ${of.claimed.toISOString()}` : 'Log of earlier attempts';
  return (
    <section class="log" tabindex={0} aria-label={label}>
      <ol>
        {lines.map(({ at, attempt, message, fields }) => (
          <li>
            <span class="quiet">
              {at.toISOString().slice(11, 23)} #{attempt}
            </span>{' '}
            {message} {fields !== undefined && <span class="quiet">{JSON.stringify(fields)}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}
