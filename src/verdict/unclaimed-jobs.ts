import type { Collection, Filter } from 'mongodb';
import ms from 'ms';
import { claimableByQueue, claimableJobs, heldBackJobs } from '../job/indexes.js';
import type { JobDocument } from '../job/job.js';
import { waitingSince } from '../job/longest-waiting.js';
import { anyPriority, claimOrder, heldBack, isClaimable } from '../job/queued-jobs.js';
import type { Index } from '../mongo/by-index.js';
import { orIndexMissing } from '../mongo/index-missing.js';
import { findingsOf, jobsThat, type VerdictFinding } from './finding.js';
import { kindsHeld } from './open-breakers.js';
import { before, isTaken, pausedNames, type Situation } from './situation.js';

/** How long a job may be due before it counts as unclaimed. The alarm of a deployment uses the same time. */
const UNCLAIMED_MS = ms('5m');

/** How long the deployment may be without a worker. A worker should have come each minute, so three are missing. */
const NO_WORKER_MS = ms('3m');

/** Maximum number of due jobs to look at, in the order in which they are claimed. */
const MAX_JOBS = 200;

/** A due job. */
interface Due extends Pick<JobDocument, 'jobName' | 'queue'> {
  readonly since: Date;
}

/**
 * Finds due jobs that nobody claims. Jobs of paused queues, and of kinds whose circuit breaker is open, do not count.
 *
 * Looks at the 200 due jobs that are claimed next, and at 200 of the jobs that must run alone. So 200 unclaimed jobs of one
 * queue may hide another queue for now. If paused queues and open breakers hold the first 200, one more command skips these. It
 * reads some keys of an index for each queue.
 */
export async function findUnclaimedJobs(situation: Situation): Promise<VerdictFinding[]> {
  const { workers, now } = situation;
  const afterMs = workers.length === 0 ? NO_WORKER_MS : UNCLAIMED_MS;
  const latest = before(situation, afterMs);
  const late = (await findDue(situation, latest)).filter(({ since }) => since <= latest);
  if (late.length === 0) return [];
  const queues = byQueue(late);
  if (workers.length === 0) return [noWorker(late, queues, now)];
  return findingsOf(
    queues.toSorted((one, other) => one.since.getTime() - other.since.getTime()),
    (queue) => unclaimed(queue, situation),
  );
}

async function findDue(situation: Situation, latest: Date): Promise<Due[]> {
  const { jobs } = situation.collections;
  const paused = pausedNames(situation);
  const isDue = { priority: anyPriority, runAt: { $lte: latest } };
  const [first, alone] = await Promise.all([
    read(jobs, claimableJobs, { ...isClaimable, ...isDue }),
    read(jobs, heldBackJobs, { ...heldBack, ...isDue }),
  ]);
  const held = kindsHeld(situation);
  const isOpen = ({ jobName, queue }: Due) => !paused.has(queue) && !held.has(jobName);
  const open = [...first, ...alone].filter(isOpen);
  if (first.length < MAX_JOBS || first.some(isOpen)) return open;
  const others = {
    ...isClaimable,
    queue: { $nin: [...paused] },
    jobName: { $nin: [...held] },
    ...isDue,
  };
  return [...open, ...(await read(jobs, claimableByQueue, others, false))];
}

/** Returns due jobs by an index. It needs the hint: without these indexes, MongoDB would read all jobs. */
function read(
  jobs: Collection<JobDocument>,
  { key: hint }: Index,
  due: Filter<JobDocument>,
  isSorted = true,
): Promise<Due[]> {
  const projection = { _id: 0, jobName: 1, queue: 1, since: waitingSince };
  const size = { limit: MAX_JOBS, batchSize: MAX_JOBS + 1 };
  const options = { projection, ...size, ...(isSorted && { sort: claimOrder }), hint };
  return orIndexMissing(jobs.find<Due>(due, options).toArray());
}

function oldestOf(jobs: readonly Due[]): Date {
  return new Date(Math.min(...jobs.map(({ since }) => since.getTime())));
}

interface LateQueue {
  readonly name: string;
  readonly count: number;
  readonly since: Date;
}

function byQueue(late: readonly Due[]): readonly LateQueue[] {
  return [...new Set(late.map(({ queue }) => queue))].map((name) => {
    const jobs = late.filter(({ queue }) => queue === name);
    return { name, count: jobs.length, since: oldestOf(jobs) };
  });
}

function noWorker(late: readonly Due[], queues: readonly LateQueue[], now: Date): VerdictFinding {
  const since = oldestOf(late);
  const where =
    queues.length === 1 ? `in the queue '${queues[0]?.name ?? ''}'` : `in ${queues.length} queues`;
  const waited = ms(now.getTime() - since.getTime());
  return {
    code: 'no_worker',
    severity: 'failure',
    about: { type: 'deployment', name: '' },
    text: `no worker takes jobs: ${jobsThat(['has', 'have'], late.length, MAX_JOBS)} been due for up to ${waited} ${where}`,
    advice:
      'No worker runs, or none has the code of these jobs: check that the worker function is invoked every minute, or start remote-processor work',
    since,
    actions: ['see'],
  };
}

function unclaimed({ name, count, since }: LateQueue, { workers, now }: Situation): VerdictFinding {
  const waited = ms(now.getTime() - since.getTime());
  return {
    code: 'unclaimed_jobs',
    severity: 'failure',
    about: { type: 'queue', name },
    text: `queue '${name}': ${jobsThat(['has', 'have'], count, MAX_JOBS)} been due for up to ${waited}, and nobody claims them`,
    advice: isTaken(name, workers)
      ? `The workers lack the code of the jobs, or are too few: remote-processor list --status queued --queue ${name}`
      : 'No running worker takes this queue: see QUEUES',
    since,
    actions: ['see'],
    queue: name,
  };
}
