import type { Job, LimitDetails, RemoteProcessor } from '../../../src/index.js';
import { ExactMoment, Moment } from './parts/moment.js';
import { capped } from './parts/number.js';
import { jobPath, limitPath } from './paths.js';

/** What a queued job waits for, besides its time. */
export interface Waits {
  /** The limit in whose line it stands. */
  readonly limit?: LimitDetails | undefined;
  /** Since when its queue is paused. */
  readonly queuePaused?: Date | undefined;
}

/** Finds out what a job waits for. */
export async function findWaits(processor: RemoteProcessor, job: Job): Promise<Waits> {
  if (job.status !== 'queued') return {};
  const [limit, queuePaused] = await Promise.all([
    job.blockedBy === undefined ? undefined : processor.limits.get(job.blockedBy),
    processor.queues.pausedSince(job.queue),
  ]);
  return { limit, queuePaused: queuePaused ?? undefined };
}

/** Says when a queued job runs, and what keeps it from running now. */
export function WhyItWaits({ job, waits, now }: { job: Job; waits: Waits; now: Date }) {
  const { limit, queuePaused } = waits;
  const isLater = job.runAt > now;
  return (
    <>
      {queuePaused && (
        <p>
          Its queue is <span class="status paused">paused</span> since <Moment at={queuePaused} now={now} />.
        </p>
      )}
      {limit && <BlockedBy limit={limit} now={now} />}
      {isLater && <Later job={job} now={now} />}
      {job.runAlone && (
        <p>As soon as a worker runs nothing else: it lost its worker, so it must run alone.</p>
      )}
      {!queuePaused && !limit && !isLater && !job.runAlone && <p>As soon as a worker takes it.</p>}
    </>
  );
}

function Later({ job, now }: { job: Job; now: Date }) {
  const { postponedBy, runAt } = job;
  return (
    <p>
      <Moment at={runAt} now={now} />, at <ExactMoment at={runAt} />
      {postponedBy !== undefined && (
        <>
          : the rate limit <a href={limitPath(postponedBy)}>{postponedBy}</a> lets it start then
        </>
      )}
      .
    </p>
  );
}

/** The most holders named. */
const NAMED = 3;

function BlockedBy({ limit, now }: { limit: LimitDetails; now: Date }) {
  const { key, taken, max, limit: byCode, paused, holders, waiting } = limit;
  const places = max ?? byCode;
  return (
    <>
      <p>
        When it gets a place in the limit <a href={limitPath(key)}>{key}</a>:{' '}
        {places === null ? taken : `${taken} of ${places}`} taken, {capped(waiting)} in line.
      </p>
      {paused && (
        <p>
          The limit is <span class="status paused">paused</span> since <Moment at={paused} now={now} />.
        </p>
      )}
      {holders.length > 0 && (
        <p>
          Held by{' '}
          {holders.slice(0, NAMED).map(({ id, jobName }, index) => (
            <>
              {index > 0 && ', '}
              <a href={jobPath(id)}>
                {jobName} {id}
              </a>
            </>
          ))}
          {holders.length > NAMED && <a href={limitPath(key)}> and {holders.length - NAMED} more</a>}.
        </p>
      )}
    </>
  );
}
