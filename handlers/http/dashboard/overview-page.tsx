import {
  type Job,
  type JobCounts,
  type JobStatus,
  jobStatuses,
  type Mark,
  type Queue,
  type QueuePage,
  type SchedulerItem,
  type StatisticsRange,
  type Verdict,
  type WaitingJob,
  type WorkerPage,
} from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { firstLine } from './parts/first-line.js';
import { duration, Moment } from './parts/moment.js';
import { capped } from './parts/number.js';
import { PageLinks } from './parts/page-links.js';
import { RangeLinks, rangeText } from './parts/range-links.js';
import { Status } from './parts/status.js';
import { TimeChart } from './parts/time-chart.js';
import { failuresPath, jobPath, jobsPath, schedulerPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';
import { VerdictCard } from './verdict.js';

interface OverviewProps {
  /** Undefined if the state could not be judged. */
  readonly verdict: Verdict | undefined;
  readonly counts: JobCounts;
  readonly statistics: StatisticsRange;
  readonly marks: readonly Mark[];
  /** The latest jobs that ended in error. */
  readonly failed: readonly Job[];
  readonly queues: QueuePage;
  /** Whether the list of queues starts at the first one. */
  readonly isFirst: boolean;
  readonly waiting: readonly WaitingJob[];
  readonly workers: WorkerPage;
  /** The items that are due next, soonest first. */
  readonly items: readonly SchedulerItem[];
  readonly session: Session;
  readonly now: Date;
}

export function OverviewPage({ counts, statistics, session, now, ...rest }: OverviewProps) {
  return (
    <>
      <h1 class="unseen">Overview</h1>
      <VerdictCard verdict={rest.verdict} session={session} now={now} />
      <section id="counts" data-live aria-label="Jobs by status">
        <ul class="counts">
          {jobStatuses.map((status) => (
            <Count status={status} text={capped(counts[status])} />
          ))}
        </ul>
      </section>
      <section class="card" aria-label="What ended lately">
        <RangeLinks path="/" chosen={statistics.range} />
        <div id="charts" data-live>
          <TimeChart
            id="all"
            title={rangeText(statistics.range)}
            statistics={statistics}
            marks={rest.marks}
          />
        </div>
      </section>
      {/* Empty while there are no errors, so that it takes no room. */}
      <div id="errors" data-live class="stack">
        {rest.failed.length > 0 && <LatestErrors jobs={rest.failed} now={now} />}
      </div>
      <section class="card" aria-labelledby="queues-title">
        <h2 id="queues-title">Queues</h2>
        <div id="queues" data-live>
          <Queues queues={rest.queues.queues} session={session} now={now} />
          <PageLinks
            first="/"
            parameter="queues"
            cursor={rest.queues.cursor}
            isFirst={rest.isFirst}
            what="queues"
          />
        </div>
        {may(session, 'admin') && <PauseByName session={session} />}
      </section>
      <div class="columns">
        <section class="card" id="next" data-live aria-labelledby="next-title">
          <h2 id="next-title">Due next</h2>
          <Next items={rest.items} now={now} />
        </section>
        <section class="card" id="waiting" data-live aria-labelledby="waiting-title">
          <h2 id="waiting-title">Waiting longest</h2>
          <Waiting waiting={rest.waiting} queues={rest.queues.queues} />
        </section>
        <section class="card" id="workers" data-live aria-labelledby="workers-title">
          <h2 id="workers-title">Workers</h2>
          <Workers workers={rest.workers} now={now} />
        </section>
      </div>
    </>
  );
}

function Count({ status, text }: { status: JobStatus; text: string }) {
  return (
    <li>
      <a class="card count" href={jobsPath({ status })}>
        <span class="number">{text}</span> <Status status={status} />
      </a>
    </li>
  );
}

function LatestErrors({ jobs, now }: { jobs: readonly Job[]; now: Date }) {
  return (
    <section class="card" aria-labelledby="errors-title">
      <h2 id="errors-title">Latest errors</h2>
      <ul class="list">
        {jobs.map(({ id, jobName, errors, completed }) => (
          <li>
            <span>
              <a href={jobPath(id)}>{jobName}</a>{' '}
              <span class="error-text">{firstLine(errors.at(-1)?.message ?? '')}</span>
            </span>
            {completed && <Moment at={completed} now={now} />}
          </li>
        ))}
      </ul>
      <p>
        <a href={failuresPath}>See all failures</a>
      </p>
    </section>
  );
}

type ListedQueues = readonly Queue[];

function Queues({ queues, session, now }: { queues: ListedQueues } & Pick<OverviewProps, 'session' | 'now'>) {
  if (queues.length === 0) return <p class="empty">Nothing is queued.</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Queue</th>
            <th scope="col">Ready</th>
            <th scope="col">Delayed</th>
            <th scope="col">Oldest is due since</th>
            <th scope="col">State</th>
            {may(session, 'admin') && (
              <th scope="col">
                <span class="unseen">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {queues.map(({ name, ready, delayed, oldest, paused }) => (
            <tr id={`queue-${encodeURIComponent(name)}`}>
              <th scope="row">
                <a href={jobsPath({ queue: name, status: 'queued' })}>{name}</a>
              </th>
              <td data-label="Ready">{capped(ready)}</td>
              <td data-label="Delayed">{capped(delayed)}</td>
              <td data-label="Oldest is due since">{oldest ? <Moment at={oldest} now={now} /> : '–'}</td>
              <td data-label="State">
                {paused ? (
                  <span class="status paused">paused</span>
                ) : (
                  <span class="status completed">open</span>
                )}
              </td>
              {may(session, 'admin') && (
                <td class="actions">
                  <QueueButton name={name} isPaused={paused !== null} session={session} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function QueueButton({ name, isPaused, session }: { name: string; isPaused: boolean; session: Session }) {
  return (
    <form method="post" action="/dashboard/queues">
      <TokenField session={session} />
      <input type="hidden" name="queue" value={name} />
      <button
        type="submit"
        name="action"
        value={isPaused ? 'resume' : 'pause'}
        class="small"
        aria-label={`${isPaused ? 'Resume' : 'Pause'} queue ${name}`}
      >
        {isPaused ? 'Resume' : 'Pause'}
      </button>
    </form>
  );
}

/** Pauses a queue by name. A queue without jobs is not listed, but may have to be paused for maintenance. */
function PauseByName({ session }: { session: Session }) {
  return (
    <details>
      <summary>Pause another queue</summary>
      <form method="post" action="/dashboard/queues" class="actions">
        <TokenField session={session} />
        <input
          name="queue"
          class="short"
          aria-label="Name of the queue"
          required
          maxlength={200}
          spellcheck={false}
        />
        <button type="submit" name="action" value="pause">
          Pause
        </button>
      </form>
    </details>
  );
}

function Next({ items, now }: Pick<OverviewProps, 'items' | 'now'>) {
  const due = items.flatMap((item) => (item.nextCallTime ? [{ item, at: item.nextCallTime }] : []));
  if (due.length === 0) {
    return (
      <p class="empty">
        No schedule is active. <a href="/dashboard/schedulers">See them</a>
      </p>
    );
  }
  return (
    <ul class="list">
      {due.map(({ item, at }) => (
        <li>
          <a href={schedulerPath(item.id)}>{item.title || item.id}</a>
          <Moment at={at} now={now} />
        </li>
      ))}
    </ul>
  );
}

function Waiting({ waiting, queues }: Pick<OverviewProps, 'waiting'> & { queues: ListedQueues }) {
  if (waiting.length === 0) {
    const isHeld = queues.some(({ ready, paused }) => paused !== null && ready.count > 0);
    return (
      <p class="empty">
        {isHeld
          ? 'No job is due but those of paused queues: the workers are up to date.'
          : 'No job is due: the workers are up to date.'}
      </p>
    );
  }
  return (
    <ul class="list">
      {waiting.map(({ id, jobName, priority, waitedMs, claimable }) => (
        <li>
          <span>
            <a href={jobPath(id)}>{jobName}</a>{' '}
            <span class="quiet">
              priority {priority}
              {!claimable && ', not taken by the workers of this deployment'}
            </span>
          </span>
          <span>{duration(waitedMs)}</span>
        </li>
      ))}
    </ul>
  );
}

function Workers({ workers: { workers, cursor }, now }: Pick<OverviewProps, 'workers' | 'now'>) {
  if (workers.length === 0) {
    return <p class="empty">None is at work. One starts every minute, and when a job is added.</p>;
  }
  return (
    <ul class="list">
      {workers.map(({ processor, maxThreads, queues, started }) => (
        <li>
          <span>
            {processor}{' '}
            <span class="quiet">
              {maxThreads} at a time{queues && `, ${namesOf(queues)}`}
            </span>
          </span>
          <span>
            started <Moment at={started} now={now} />
          </span>
        </li>
      ))}
      {cursor !== undefined && <li class="quiet">and more</li>}
    </ul>
  );
}

const NAMED_QUEUES = 5;

function namesOf(queues: readonly string[]): string {
  const more = queues.length - NAMED_QUEUES;
  return more <= 0 ? queues.join(', ') : `${queues.slice(0, NAMED_QUEUES).join(', ')} and ${more} more`;
}
