import type { JobDocument } from '../../../src/job/job.js';
import { type Case, casesOf } from '../cases.js';
import type { Evidence, Violation } from '../evidence.js';
import { groupBy } from '../group-by.js';

/** How soon somebody notices that a group is over, or that a parent is, if those who should have told it have died. */
const NOTICED_MS = 120_000;

/**
 * Checks that the job after a batch never starts while a job of the batch is open, that nobody waits for two minutes beside
 * a closed group, and that nothing runs below a job for two minutes after that has ended. No person retries jobs here.
 */
export function groupsHold(evidence: Evidence): Violation[] {
  const { jobs } = evidence;
  const cases = casesOf(evidence);
  const groups = groupBy(
    jobs.filter(({ group }) => group !== undefined),
    ({ group = '' }) => group,
  );
  const byId = new Map(jobs.map((job) => [job._id, job]));
  return cases.flatMap((each) => [
    ...startedEarly(each, groups),
    ...parked(each, groups, evidence),
    ...outlivedParents(each, byId, evidence),
  ]);
}

type Groups = ReadonlyMap<string, readonly JobDocument[]>;

/** Returns when the last job of a group ended. Never if one has not. */
function closedAt(group: readonly JobDocument[] = []): number {
  const ends = group.map(({ completed }) => completed?.getTime() ?? Number.POSITIVE_INFINITY);
  return Math.max(0, ...ends);
}

function startedEarly({ job, holders, runs }: Case, groups: Groups): Violation[] {
  return (job.after ?? []).flatMap(({ on }) => {
    const members = groups.get(on) ?? [];
    const isEarly = holders.some(({ picked }) => picked.getTime() < closedAt(members));
    if (!isEarly) return [];
    const message = `Job ${job._id} started while '${on}' was open.`;
    return [{ rule: 'started early', message, documents: [job, ...members, ...runs] }];
  });
}

function parked({ job, holders }: Case, groups: Groups, { now }: Evidence): Violation[] {
  const waits = (job.steps?.waits ?? []).flatMap(({ on }) => on ?? []);
  const awaited = [...waits, ...(job.after ?? []).map(({ on }) => on)];
  return awaited.flatMap((on) => {
    const members = groups.get(on) ?? [];
    const closed = closedAt(members);
    const wentOn = holders.map(({ picked }) => picked.getTime()).filter((picked) => picked >= closed);
    const ended = job.completed?.getTime() ?? now.getTime();
    if (Math.min(ended, ...wentOn) - closed <= NOTICED_MS) return [];
    const message = `Job ${job._id} waited for '${on}', which was over.`;
    return [{ rule: 'parked', message, documents: [job, ...members] }];
  });
}

function outlivedParents(
  { job, holders }: Case,
  byId: ReadonlyMap<string, JobDocument>,
  { now }: Evidence,
): Violation[] {
  return (job.parents ?? []).flatMap((id) => {
    const parent = byId.get(id);
    const ended = parent?.completed?.getTime() ?? now.getTime();
    const isOpen = job.completed === undefined && now.getTime() - ended > NOTICED_MS;
    const beganLate = holders.some(({ picked }) => picked.getTime() - ended > NOTICED_MS);
    if (!isOpen && !beganLate) return [];
    const message = `Job ${job._id} outlived its parent ${id}, which had ended.`;
    return [{ rule: 'outlived', message, documents: [job, ...(parent ? [parent] : [])] }];
  });
}
