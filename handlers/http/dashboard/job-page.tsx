import type { AuditEntry, CappedCount, Job, JobError, JobLog, JobSteps } from '../../../src/index.js';
import { isSettled } from '../../../src/job/job.js';
import { targetOf } from '../audit/targets.js';
import type { Session } from '../session/session.js';
import { Deeds } from './deeds.js';
import { type Children, ChildrenOf, Owner } from './job-family.js';
import { JsonTree } from './parts/json-tree.js';
import { duration, ExactMoment, Moment } from './parts/moment.js';
import { capped } from './parts/number.js';
import { Progress } from './parts/progress.js';
import { Status } from './parts/status.js';
import { jobPath, jobsPath, schedulerPath } from './paths.js';
import { may } from './require-session.js';
import { RetriedSteps, StepActions, Steps } from './steps.js';
import { Timeline } from './timeline.js';
import { TokenField } from './token-field.js';
import { type Waits, WhyItWaits } from './why-it-waits.js';

interface JobPageProps {
  readonly job: Job;
  readonly log: JobLog;
  readonly waits: Waits;
  /** Absent if no step is stored, and no signal came. */
  readonly steps: JobSteps | undefined;
  /** Absent if its steps have added no jobs. */
  readonly below: Children | undefined;
  /** How many jobs are in error with the same failure, with this one. Absent for a job that is not in error. */
  readonly failing: CappedCount | undefined;
  /** What people did to it last. */
  readonly deeds: readonly AuditEntry[];
  readonly session: Session;
  /** Whether the user may add jobs of this kind. */
  readonly mayAdd: boolean;
  readonly now: Date;
}

export function JobPage({
  job,
  log,
  waits,
  steps,
  below,
  failing,
  deeds,
  session,
  mayAdd,
  now,
}: JobPageProps) {
  const mayChange = may(session, 'write') && mayAdd;
  return (
    <>
      <div class="title">
        <h1>{job.jobName}</h1>
        <div id="buttons" data-live>
          {may(session, 'write') && <Buttons job={job} session={session} mayAdd={mayAdd} />}
        </div>
      </div>
      <div id="job" data-live class="stack">
        <div class="columns">
          <section class="card" aria-label="The job">
            <Facts job={job} waits={waits} failing={failing} now={now} />
          </section>
          <section class="card" aria-labelledby="timeline-title">
            <h2 id="timeline-title">What happened</h2>
            <Timeline job={job} now={now} />
          </section>
        </div>
        {steps && <Steps job={job} steps={steps} now={now} />}
        {below && <ChildrenOf job={job} children={below} />}
        {steps && mayChange && (job.status === 'error' || job.status === 'cancelled') && (
          <RetriedSteps steps={steps} />
        )}
        {job.errors.length > 0 && <Errors errors={job.errors} dropped={job.errorsDropped ?? 0} />}
        {log.lines.length > 0 && <Log log={log} />}
      </div>
      {steps && mayChange && !isSettled(job.status) && (
        <StepActions job={job} waits={steps.waits} session={session} />
      )}
      <div class="columns">
        <section class="card" aria-labelledby="input-title">
          <h2 id="input-title">Input</h2>
          <JsonTree value={job.input ?? null} />
          <a href={`${jobPath(job.id)}/input.json`} download>
            Download
          </a>
        </section>
        <section class="card" id="output" data-live aria-labelledby="output-title">
          <h2 id="output-title">Output</h2>
          <Output job={job} />
        </section>
      </div>
      <Deeds entries={deeds} target={targetOf('jobs', job.id)} session={session} now={now} />
    </>
  );
}

function Output({ job }: { job: Job }) {
  if (job.status !== 'completed') return <p class="quiet">There is none: the job is not completed.</p>;
  return (
    <>
      <JsonTree value={job.output ?? null} />
      <a href={`${jobPath(job.id)}/output.json`} download>
        Download
      </a>
    </>
  );
}

function Buttons({ job, session, mayAdd }: Pick<JobPageProps, 'job' | 'session' | 'mayAdd'>) {
  const again = `/dashboard/job-factories/${encodeURIComponent(job.jobName)}?${new URLSearchParams({ from: job.id })}`;
  const isSettled = job.completed !== undefined;
  return (
    <form method="post" action="/dashboard/jobs" class="actions">
      <TokenField session={session} />
      <input type="hidden" name="id" value={job.id} />
      <input type="hidden" name="from" value="job" />
      {!isSettled && !job.cancelRequested && (
        <button type="submit" name="action" value="cancel">
          Cancel
        </button>
      )}
      {(job.status === 'error' || job.status === 'cancelled') && (
        <button type="submit" name="action" value="retry" class="primary" disabled={!mayAdd}>
          Retry
        </button>
      )}
      <a class="button" href={again}>
        Run again with changes
      </a>
      {isSettled && may(session, 'admin') && (
        <button
          type="submit"
          name="action"
          value="remove"
          class="danger"
          data-confirm="Remove this job for good?"
        >
          Remove
        </button>
      )}
    </form>
  );
}

function Facts({ job, waits, failing, now }: Pick<JobPageProps, 'job' | 'waits' | 'failing' | 'now'>) {
  return (
    <dl class="facts">
      <dt>Status</dt>
      <dd>
        <Status status={job.status} />
        {job.cancelRequested && job.status === 'processing' && ' asked to stop'}
      </dd>
      {job.progress !== undefined && job.progress !== null && (
        <>
          <dt>Progress</dt>
          <dd>
            <Progress value={job.progress} />
          </dd>
        </>
      )}
      <dt>Attempts</dt>
      <dd>
        {job.retryCounter} of {job.maxRetries}
        {job.givenBackCounter > 0 && `, given back ${job.givenBackCounter} times`}
      </dd>
      {failing !== undefined && failing.count > 1 && (
        <>
          <dt>Same failure</dt>
          <dd>
            <a href={jobsPath({ failureKey: job.failureKey })}>
              {capped({ ...failing, count: failing.count - 1 })} {failing.count === 2 ? 'other' : 'others'}
            </a>
          </dd>
        </>
      )}
      {job.status === 'queued' && (
        <>
          <dt>Runs</dt>
          <dd>
            <WhyItWaits job={job} waits={waits} now={now} />
          </dd>
        </>
      )}
      {job.started && job.completed && (
        <>
          <dt>Took</dt>
          <dd>{duration(job.completed.getTime() - job.started.getTime())}</dd>
        </>
      )}
      {job.started && job.status === 'processing' && (
        <>
          <dt>Running for</dt>
          <dd>{duration(Math.max(0, now.getTime() - job.started.getTime()))}</dd>
        </>
      )}
      {job.lease && (
        <>
          <dt>Worker</dt>
          <dd>{job.lease.worker}</dd>
        </>
      )}
      <dt>Added</dt>
      <dd>
        <Moment at={job.created} now={now} />
      </dd>
      <dt>Queue</dt>
      <dd>
        <a href={jobsPath({ queue: job.queue })}>{job.queue}</a>, priority {job.priority}
      </dd>
      {(job.group ?? job.parents) !== undefined && (
        <>
          <dt>Belongs to</dt>
          <dd>
            <Owner {...job} />
          </dd>
        </>
      )}
      {job.occurrence && (
        <>
          <dt>Made by</dt>
          <dd>
            <a href={schedulerPath(job.occurrence.item)}>{job.occurrence.item}</a> for{' '}
            <ExactMoment at={job.occurrence.at} />
          </dd>
        </>
      )}
      {job.uniqueKey !== undefined && (
        <>
          <dt>Unique key</dt>
          <dd>
            {job.uniqueKey}
            {job.uniqueUntil === 'claimed' && ', until a worker takes it'}
            {job.uniqueUntil !== undefined && job.uniqueUntil !== 'claimed' && (
              <>
                , until <ExactMoment at={job.uniqueUntil} /> in any case
              </>
            )}
          </dd>
        </>
      )}
      {job.expireAt && (
        <>
          <dt>Kept until</dt>
          <dd>
            <ExactMoment at={job.expireAt} />
          </dd>
        </>
      )}
      <dt>Id</dt>
      <dd>
        <code>{job.id}</code>
      </dd>
    </dl>
  );
}

function Errors({ errors, dropped }: { errors: readonly JobError[]; dropped: number }) {
  return (
    <section class="card" aria-labelledby="errors-title">
      <h2 id="errors-title">Errors</h2>
      {dropped > 0 && <p class="quiet">{dropped} older ones were dropped.</p>}
      {errors.toReversed().map(({ at, attempt, message, stack, causes = [] }, index) => (
        <details class="failure" open={index === 0} id={`error-${at.getTime()}-${attempt}`}>
          <summary>
            <span class="quiet">
              Attempt {attempt}, <ExactMoment at={at} />
            </span>{' '}
            <span class="error-text">{message}</span>
          </summary>
          {stack === undefined ? <p class="quiet">It has no stack.</p> : <pre class="code">{stack}</pre>}
          {causes.map((cause) => (
            <>
              <p class="quiet">
                {cause.path}: {cause.name}
              </p>
              <pre class="code">{cause.stack ?? cause.message}</pre>
            </>
          ))}
        </details>
      ))}
    </section>
  );
}

function Log({ log: { lines, dropped } }: { log: JobLog }) {
  return (
    <section class="card" aria-labelledby="log-title">
      <h2 id="log-title">Log</h2>
      {dropped > 0 && <p class="quiet">{dropped} older lines were dropped.</p>}
      <section class="log" tabindex={0} aria-label="Lines of the log">
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
    </section>
  );
}
