import {
  type Job,
  type JobStatus,
  jobStatuses,
  type Mark,
  type SchedulerItem,
  type StatisticsRange,
  type Verdict,
  type WorkerPage,
} from '../../../src/index.js';
import type { UnfinishedCounts } from '../../../src/job/count-jobs.js';
import type { Session } from '../session/session.js';
import { firstLine } from './parts/first-line.js';
import { Moment } from './parts/moment.js';
import { capped, grouped } from './parts/number.js';
import { RangeLinks, rangeText } from './parts/range-links.js';
import { Status } from './parts/status.js';
import { TimeChart } from './parts/time-chart.js';
import { failuresPath, jobPath, jobsPath, schedulerPath } from './paths.js';
import { VerdictCard } from './verdict.js';

interface OverviewProps {
  /** The verdict. Undefined if it could not be made. */
  readonly verdict: Verdict | undefined;
  readonly counts: UnfinishedCounts;
  readonly statistics: StatisticsRange;
  readonly marks: readonly Mark[];
  /** The latest jobs that ended in error. */
  readonly failed: readonly Job[];
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
            <Count
              status={status}
              text={status === 'completed' ? grouped(statistics.sum.completed) : capped(counts[status])}
              when={status === 'completed' ? rangeText(statistics.range).toLowerCase() : ''}
            />
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
      <div class="columns">
        <section class="card" id="next" data-live aria-labelledby="next-title">
          <h2 id="next-title">Due next</h2>
          <Next items={rest.items} now={now} />
        </section>
        <section class="card" id="workers" data-live aria-labelledby="workers-title">
          <h2 id="workers-title">Workers</h2>
          <Workers workers={rest.workers} now={now} />
        </section>
      </div>
    </>
  );
}

/**
 * Shows the number of jobs of a status. No index counts completed jobs, so the number of attempts that completed lately
 * is shown for them.
 */
function Count({ status, text, when }: { status: JobStatus; text: string; when: string }) {
  return (
    <li>
      <a class="card count" href={jobsPath({ status })}>
        <span class="number">{text}</span>{' '}
        <span>
          <Status status={status} /> <span class="quiet">{when}</span>
        </span>
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
