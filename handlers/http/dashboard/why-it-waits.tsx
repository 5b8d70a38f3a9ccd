import type { BreakerState, Job, LimitDetails, RemoteProcessor } from '../../../src/index.js';
import { breakerKeyOf } from '../../../src/job/breaker-rules.js';
import { waitsOf } from '../../../src/job/find-steps.js';
import { isHeldUntilSettled, isOrder, isTurn } from '../../../src/job/flow-rules.js';
import { AwaitedLink } from './job-family.js';
import { ExactMoment, Moment } from './parts/moment.js';
import { capped } from './parts/number.js';
import { WaitLabel } from './parts/wait-label.js';
import { jobPath, limitPath } from './paths.js';

/** The things that a queued job waits for, besides its time. */
export interface Waits {
  /** The limit for which the job waits. */
  readonly limit?: LimitDetails | undefined;
  /** Moment at which the job's queue was paused. */
  readonly queuePaused?: Date | undefined;
  /** The circuit breaker of the job's kind. */
  readonly breaker?: BreakerState | undefined;
}

/** Finds out what a job waits for. */
export async function findWaits(processor: RemoteProcessor, job: Job): Promise<Waits> {
  if (job.status !== 'queued') return {};
  const [limit, queuePaused, { breaker }] = await Promise.all([
    job.blockedBy === undefined ? undefined : processor.limits.get(job.blockedBy),
    processor.queues.pausedSince(job.queue),
    processor.limits.get(breakerKeyOf(job.jobName)),
  ]);
  return { limit, queuePaused: queuePaused ?? undefined, breaker: breaker ?? undefined };
}

/** Says when a queued job will run, and what it waits for. */
export function WhyItWaits({ job, waits, now }: { job: Job; waits: Waits; now: Date }) {
  const { limit, queuePaused, breaker } = waits;
  const isLater = job.runAt > now;
  const isOpen = breaker !== undefined && breaker.state !== 'closed';
  const isHeldUp = queuePaused ?? limit ?? job.waitsFor ?? (isLater || isOpen || job.runAlone);
  return (
    <>
      {queuePaused && (
        <p>
          Its queue is <span class="status paused">paused</span> since <Moment at={queuePaused} now={now} />.
        </p>
      )}
      {limit && <BlockedBy limit={limit} now={now} />}
      {job.waitsFor?.map(({ on, when }) => (
        <p>
          Once <AwaitedLink on={on} /> {when === 'completed' ? 'has completed' : 'has ended'}.
        </p>
      ))}
      {isLater && !job.waitsFor && <Later job={job} now={now} />}
      {job.runAlone && (
        <p>As soon as a worker runs nothing else: it lost its worker, so it must run alone.</p>
      )}
      {isOpen && <Open jobName={job.jobName} breaker={breaker} now={now} />}
      {!isHeldUp && <p>As soon as a worker takes it.</p>}
    </>
  );
}

function Later({ job, now }: { job: Job; now: Date }) {
  const { postponedBy, runAt } = job;
  const suspensions = waitsOf(job, now.getTime());
  if (suspensions.length > 0)
    return (
      <>
        {suspensions.map((wait) => (
          <p>
            It <WaitLabel wait={wait} now={now} />.
          </p>
        ))}
      </>
    );
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

function Open({ jobName, breaker, now }: { jobName: string; breaker: BreakerState; now: Date }) {
  const { openUntil } = breaker;
  return (
    <p>
      When the <a href={limitPath(breakerKeyOf(jobName))}>circuit breaker</a> of its kind is closed again: too
      many attempts failed.
      {openUntil && (
        <>
          {' '}
          One job is tried <Moment at={openUntil} now={now} />.
        </>
      )}
    </p>
  );
}

/** Maximum number of holders of a limit that are named. */
const NAMED = 3;

function BlockedBy({ limit, now }: { limit: LimitDetails; now: Date }) {
  const { key, paused, holders, waiting } = limit;
  return (
    <>
      <p>
        {waitsForText(key)} <a href={limitPath(key)}>{key}</a>: {isPlace(key) && `${takenText(limit)}, `}
        {capped(waiting)} in line.
      </p>
      {limit.stoppedBy && <p>The order is stopped by a job that failed: retry, skip or remove it.</p>}
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

function waitsForText(key: string): string {
  if (isOrder(key)) return 'When the jobs before it have ended, in the strict';
  if (isHeldUntilSettled(key)) return 'When the job before it with its unique key has ended, in';
  return isTurn(key) ? 'When it is next among the jobs of its key, in' : 'When it gets a place in the limit';
}

/** Returns whether jobs hold a place of a limit while they run. A turn is passed on as soon as its job starts. */
function isPlace(key: string): boolean {
  return !isHeldUntilSettled(key) && !isTurn(key);
}

function takenText({ taken, max, limit }: LimitDetails): string {
  const places = max ?? limit;
  return places === null ? `${taken} taken` : `${taken} of ${places} taken`;
}
