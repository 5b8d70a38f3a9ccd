import type { AuditEntry, CappedCount, Job, JobLog, JobSteps } from '../../../src/index.js';
import { waitsOf } from '../../../src/job/find-steps.js';
import { isSettled } from '../../../src/job/job.js';
import { targetOf } from '../audit/targets.js';
import type { Session } from '../session/session.js';
import { Deeds } from './deeds.js';
import { Attempts } from './job-attempts.js';
import { ChangeJob, RunNow } from './job-changes.js';
import { type Children, ChildrenOf, Owner } from './job-family.js';
import { CopyButton } from './parts/copy-button.js';
import { jsonText } from './parts/json-text.js';
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
  /** The steps of the job. Absent if no step is stored and no signal came. */
  readonly steps: JobSteps | undefined;
  /** The jobs below the job. Absent if its steps have added none. */
  readonly below: Children | undefined;
  /** The number of jobs in error with the same failure, including this one. Absent for a job that is not in error. */
  readonly failing: CappedCount | undefined;
  /** The last changes that people made to the job. */
  readonly deeds: readonly AuditEntry[];
  readonly session: Session;
  /** Whether the user may add jobs of this kind. */
  readonly mayAdd: boolean;
  /** Whether input and output are shown as JSON rather than as trees. */
  readonly isRaw: boolean;
  readonly now: Date;
}

export function JobPage(props: JobPageProps) {
  const { job, log, waits, steps, below, failing, deeds, session, mayAdd, isRaw, now } = props;
  const mayChange = may(session, 'write') && mayAdd;
  return (
    <>
      <div class="title">
        <h1>{job.jobName}</h1>
        <div id="buttons" data-live>
          {may(session, 'write') && <Buttons job={job} session={session} mayAdd={mayAdd} now={now} />}
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
        <Attempts job={job} log={log} now={now} />
      </div>
      {mayChange && job.status === 'queued' && <ChangeJob job={job} session={session} now={now} />}
      {steps && mayChange && !isSettled(job.status) && (
        <StepActions job={job} waits={steps.waits} session={session} />
      )}
      <div class="columns">
        <section class="card" aria-labelledby="input-title">
          <h2 id="input-title">Input</h2>
          <Value job={job} part="input" isRaw={isRaw} />
        </section>
        <section class="card" id="output" data-live aria-labelledby="output-title">
          <h2 id="output-title">Output</h2>
          <Output job={job} isRaw={isRaw} />
        </section>
      </div>
      <Deeds entries={deeds} target={targetOf('jobs', job.id)} session={session} now={now} />
    </>
  );
}

function Output({ job, isRaw }: Pick<JobPageProps, 'job' | 'isRaw'>) {
  if (job.status !== 'completed') return <p class="quiet">There is none: the job is not completed.</p>;
  return <Value job={job} part="output" isRaw={isRaw} />;
}

/** Maximum number of characters of JSON on the page. The whole can be downloaded. */
const MAX_RAW = 200_000;

/** Shows the input or the output, as a tree or as JSON. */
function Value({ job, part, isRaw }: Pick<JobPageProps, 'job' | 'isRaw'> & { part: 'input' | 'output' }) {
  const value = job[part] ?? null;
  const path = jobPath(job.id);
  return (
    <>
      {isRaw ? <pre class="code">{shortened(jsonText(value))}</pre> : <JsonTree value={value} />}
      <p class="actions">
        <a href={isRaw ? path : `${path}?view=raw`}>{isRaw ? 'As a tree' : 'As JSON'}</a>
        <a href={`${path}/${part}.json`} download>
          Download
        </a>
        <CopyButton what={`the ${part}`} from={`${path}/${part}.json`} />
      </p>
    </>
  );
}

function shortened(text: string): string {
  return text.length <= MAX_RAW ? text : `${text.slice(0, MAX_RAW)}…`;
}

function Buttons({ job, session, mayAdd, now }: Pick<JobPageProps, 'job' | 'session' | 'mayAdd' | 'now'>) {
  const again = `/dashboard/job-factories/${encodeURIComponent(job.jobName)}?${new URLSearchParams({ from: job.id })}`;
  const isSettled = job.completed !== undefined;
  const isDelayed = job.status === 'queued' && job.runAt > now && waitsOf(job, now.getTime()).length === 0;
  return (
    <div class="actions">
      {isDelayed && <RunNow job={job} session={session} mayAdd={mayAdd} />}
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
    </div>
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
      {job.keys && (
        <>
          <dt>Found by</dt>
          <dd>
            {job.keys.map((key) => (
              <div>
                <a href={jobsPath({ key })}>{key}</a>
              </div>
            ))}
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
        <code>{job.id}</code> <CopyButton what="the id" text={job.id} />
      </dd>
      <dt>Link</dt>
      <dd>
        <a href={jobPath(job.id)}>this page</a> <CopyButton what="the link" path={jobPath(job.id)} />
        <details>
          <summary>curl</summary>
          <CopyButton what="the command" text={curl(job.id)} />
          <pre class="code">{curl(job.id)}</pre>
        </details>
      </dd>
    </dl>
  );
}

/** Returns a command that reads a job by the API. The escaped id has no characters that a shell would interpret. */
function curl(id: string): string {
  const address = `"$REMOTE_PROCESSOR_URL/v1/jobs/${encodeURIComponent(id)}"`;
  return `curl -H "Authorization: Bearer $API_KEY" ${address}`;
}
