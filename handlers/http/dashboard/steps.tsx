import type { Job, JobSteps, StepEntry, StepWait } from '../../../src/index.js';
import { FAILURE } from '../../../src/job/step-log.js';
import { isForCallback } from '../../wait-text.js';
import type { Session } from '../session/session.js';
import { firstLine } from './parts/first-line.js';
import { duration, Moment } from './parts/moment.js';
import { WaitLabel } from './parts/wait-label.js';
import { jobPath } from './paths.js';
import { TokenField } from './token-field.js';

/** Maximum number of steps shown. Earlier ones are left out. */
const SHOWN = 100;

interface StepsProps {
  readonly job: Job;
  readonly steps: JobSteps;
  readonly now: Date;
}

/** Shows the steps of a job below each other, each with a bar from its beginning to its end. */
export function Steps({ job, steps: { run, version, steps, waits, signals }, now }: StepsProps) {
  const shown = steps.slice(-SHOWN).toSorted((one, other) => one.began.getTime() - other.began.getTime());
  const rows = [...shown.map(ofEntry), ...waits.map((wait) => ofWait(wait, now))];
  const span = spanOf(rows);
  return (
    <section class="card" aria-labelledby="steps-title">
      <h2 id="steps-title">Steps</h2>
      <p class="quiet">
        Run {run}
        {version !== undefined && `, version ${version} of the code`}
        {steps.length > SHOWN && `, the last ${SHOWN} of ${steps.length}`}.{' '}
        <a href={`${jobPath(job.id)}/steps.json`} download>
          Download
        </a>
      </p>
      {rows.length > 0 && (
        <div class="scroll">
          <table class="steps">
            <thead>
              <tr>
                <th scope="col">Step</th>
                <th scope="col">State</th>
                <th scope="col">Began</th>
                <th scope="col">Took</th>
                <th scope="col">
                  <span class="unseen">When</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row row={row} span={span} now={now} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {signals.length > 0 && (
        <p>
          Signals that no step has taken:{' '}
          {signals.map(({ name, at }, index) => (
            <>
              {index > 0 && ', '}
              <strong>{name}</strong> <Moment at={at} now={now} />
            </>
          ))}
        </p>
      )}
    </section>
  );
}

interface StepRow {
  readonly name: string;
  readonly kind: string;
  /** A class of a status, which gives the colors. */
  readonly look: 'completed' | 'error' | 'processing' | 'queued';
  readonly state: string;
  readonly from: Date;
  readonly to: Date;
  readonly remark?: string | undefined;
  readonly wait?: StepWait;
}

function ofEntry({ name, kind, state, began, stored, tries, calls, failure }: StepEntry): StepRow {
  const facts = [
    ...(tries === undefined ? [] : [`${tries} failed ${tries === 1 ? 'try' : 'tries'}`]),
    ...(calls === undefined ? [] : [`${calls} calls`]),
    ...(failure ? [firstLine(failure.message)] : []),
  ];
  const look = state === 'failed' ? 'error' : state === 'completed' ? 'completed' : 'processing';
  return { name, kind, state, look, from: began, to: stored, remark: facts.join(', ') };
}

function ofWait(wait: StepWait, now: Date): StepRow {
  return {
    name: wait.name,
    kind: wait.kind,
    state: 'waits',
    look: 'queued',
    from: wait.began,
    to: now,
    wait,
  };
}

interface Span {
  readonly start: number;
  readonly length: number;
}

function spanOf(rows: readonly StepRow[]): Span {
  const start = Math.min(...rows.map(({ from }) => from.getTime()));
  const end = Math.max(...rows.map(({ to }) => to.getTime()));
  return { start, length: Math.max(1, end - start) };
}

/** Width of the drawing before it is stretched, and the least width of a bar. */
const WIDTH = 100;
const LEAST = 0.7;

function Row({ row, span, now }: { row: StepRow; span: Span; now: Date }) {
  const { name, kind, state, look, from, to, remark, wait } = row;
  const ms = Math.max(0, to.getTime() - from.getTime());
  const width = Math.max(LEAST, (ms / span.length) * WIDTH);
  const x = Math.min(WIDTH - width, ((from.getTime() - span.start) / span.length) * WIDTH);
  return (
    <tr>
      <th scope="row">
        {name} <span class="quiet">{kind}</span>
        {remark && <div class={look === 'error' ? 'error-text' : 'quiet'}>{remark}</div>}
      </th>
      <td data-label="State">
        <span class={`status ${look}`}>{state}</span>
        {wait && (
          <div class="quiet">
            <WaitLabel wait={wait} now={now} />
          </div>
        )}
      </td>
      <td data-label="Began">
        <Moment at={from} now={now} />
      </td>
      <td data-label="Took">{duration(ms)}</td>
      <td class="more">
        <svg viewBox={`0 0 ${WIDTH} 8`} preserveAspectRatio="none" aria-hidden="true">
          <rect class={look} x={x.toFixed(2)} width={width.toFixed(2)} height="8" />
        </svg>
      </td>
    </tr>
  );
}

interface ActionsProps {
  readonly job: Job;
  readonly waits: readonly StepWait[];
  readonly session: Session;
}

/** Forms that answer the callbacks and signals that a job waits for, and that send any other signal. */
export function StepActions({ job, waits, session }: ActionsProps) {
  const path = `${jobPath(job.id)}/signals`;
  return (
    <section class="card" aria-labelledby="signals-title">
      <h2 id="signals-title">Let it go on</h2>
      {waits.filter(isForCallback).map(({ name, signal }) => (
        <form method="post" action={path} class="actions">
          <TokenField session={session} />
          <input type="hidden" name="name" value={signal} />
          <strong>{name}</strong>
          <input name="comment" class="short" placeholder="Comment" aria-label={`Comment on ${name}`} />
          <button type="submit" name="answer" value="approve" class="primary">
            Approve
          </button>
          <button type="submit" name="answer" value="refuse">
            Refuse
          </button>
        </form>
      ))}
      <details open={waits.some((wait) => wait.kind === 'signal' && !isForCallback(wait))}>
        <summary>Send a signal</summary>
        <form method="post" action={path} class="actions">
          <TokenField session={session} />
          <input
            name="name"
            class="short"
            required
            maxlength={200}
            placeholder="Name"
            aria-label="Name of the signal"
            value={waits.find((wait) => !isForCallback(wait))?.signal ?? ''}
          />
          <input name="payload" class="short" placeholder="Payload as JSON" aria-label="Payload as JSON" />
          <button type="submit">Send</button>
        </form>
      </details>
    </section>
  );
}

/** Says what a retry does with the steps of a job that failed or was cancelled. */
export function RetriedSteps({ steps: { steps } }: { steps: JobSteps }) {
  if (steps.length === 0) return null;
  if (steps.some(({ kind, name }) => kind === 'compensation' && name !== FAILURE))
    return <p class="quiet">Retry begins anew, because its steps were undone.</p>;
  const failed = steps.filter(({ state }) => state === 'failed' || state === 'begun');
  const from =
    failed.length === 0 ? 'the first step that has not ended' : failed.map(({ name }) => name).join(', ');
  return <p class="quiet">Retry goes on from {from}. Steps that have ended do not run again.</p>;
}
