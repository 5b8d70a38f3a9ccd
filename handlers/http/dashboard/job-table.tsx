import type { Job } from '../../../src/index.js';
import { waitsOf } from '../../../src/job/find-steps.js';
import { AwaitedLink } from './job-family.js';
import { firstLine } from './parts/first-line.js';
import { duration, Moment } from './parts/moment.js';
import { ProgressBar } from './parts/progress.js';
import { Status } from './parts/status.js';
import { WaitLabel } from './parts/wait-label.js';
import { jobPath } from './paths.js';

/** Shows jobs as rows. @param mayChoose whether each row has a tick box, for use inside a form */
export function JobTable({ jobs, now, mayChoose }: { jobs: readonly Job[]; now: Date; mayChoose: boolean }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {mayChoose && (
              <th scope="col" class="tick">
                <input type="checkbox" aria-label="Tick all" data-all />
              </th>
            )}
            <th scope="col">Job</th>
            <th scope="col">Status</th>
            <th scope="col">Queue</th>
            <th scope="col">Attempts</th>
            <th scope="col">Added</th>
            <th scope="col">Ended</th>
          </tr>
        </thead>
        <tbody data-held>
          {jobs.map((job) => (
            <Row job={job} now={now} mayChoose={mayChoose} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ job, now, mayChoose }: { job: Job; now: Date; mayChoose: boolean }) {
  const lastError = job.status === 'completed' ? undefined : job.errors.at(-1);
  return (
    <tr id={`job-${encodeURIComponent(job.id)}`}>
      {mayChoose && (
        <td class="tick">
          <input type="checkbox" name="id" value={job.id} aria-label={`Tick job ${job.id}`} />
        </td>
      )}
      <th scope="row">
        <a href={jobPath(job.id)}>{job.jobName}</a>
        <div class="quiet id">{job.id}</div>
        {job.keys && <div class="quiet">{job.keys.join(' ')}</div>}
        {lastError && <div class="error-text">{firstLine(lastError.message)}</div>}
      </th>
      <td data-label="Status">
        <div>
          <Status status={job.status} />
          {job.status === 'processing' && <ProgressBar value={job.progress} />}
          <Waiting job={job} now={now} />
        </div>
      </td>
      <td class="more" data-label="Queue">
        {job.queue}
      </td>
      <td class="more" data-label="Attempts">
        {job.retryCounter} of {job.maxRetries}
      </td>
      <td data-label="Added">
        <Moment at={job.created} now={now} />
      </td>
      <td class="more" data-label="Ended">
        <div>
          {job.completed ? <Moment at={job.completed} now={now} /> : '–'}
          <Took job={job} />
        </div>
      </td>
    </tr>
  );
}

/** Says how long the last attempt of a job waited and ran. */
function Took({ job: { status, queued, picked, started, completed } }: { job: Job }) {
  if (!picked || !started || picked < queued || status === 'queued') return null;
  const waited = `waited ${duration(picked.getTime() - queued.getTime())}`;
  const ran = completed ? `, ran ${duration(completed.getTime() - picked.getTime())}` : '';
  return <div class="quiet">{waited + ran}</div>;
}

/** Says what a queued job waits for, or until when. */
function Waiting({ job, now }: { job: Job; now: Date }) {
  const [first, ...others] = waitsOf(job, now.getTime());
  if (first)
    return (
      <div class="quiet">
        <WaitLabel wait={first} now={now} />
        {others.length > 0 && `, and ${others.length} more`}
      </div>
    );
  if (job.status !== 'queued') return null;
  const [awaited] = job.waitsFor ?? [];
  if (awaited)
    return (
      <div class="quiet">
        waits for <AwaitedLink on={awaited.on} />
      </div>
    );
  if (job.runAt <= now) return null;
  return (
    <div class="quiet">
      due <Moment at={job.runAt} now={now} />
    </div>
  );
}
