import type { JobDocument } from '../../../src/job/job.js';
import type { SchedulerItemDocument } from '../../../src/scheduler/item.js';
import { MISSED_AFTER_MS } from '../../../src/scheduler/plan-occurrences.js';
import type { Evidence, Note, Violation } from '../evidence.js';
import { groupBy } from '../group-by.js';
import { periodOf } from '../scheduler-items.js';

type OccurrenceJob = JobDocument & Required<Pick<JobDocument, 'occurrence'>>;

/**
 * Checks invariant 4 for each item:
 *
 * - no occurrence has two jobs, and each job names the one before it, from the first to the last, so that none is
 *   missing
 * - occurrences are whole periods apart, and none is left out except those that were missed when a job was made
 * - the item made jobs to the end
 * - no job was returned to two schedulers
 */
export function oneJobPerOccurrence({ items, jobs, notes, itemsEnded }: Evidence): Violation[] {
  const occurrences = jobs.filter((job): job is OccurrenceJob => job.occurrence !== undefined);
  return [
    ...items.flatMap((item) => {
      const own = occurrences
        .filter(({ occurrence }) => occurrence.item === item._id)
        .sort((a, b) => dueTime(a) - dueTime(b));
      return [
        ...own.flatMap((job, index) => [
          ...badLink(item, job, own[index - 1]),
          ...badStep(item, job, own[index + 1]),
        ]),
        ...lastIsMissing(item, own),
        ...stoppedEarly(item, own, itemsEnded),
      ];
    }),
    ...madeTwice(notes),
  ];
}

function dueTime({ occurrence }: OccurrenceJob): number {
  return occurrence.at.getTime();
}

/** Returns a violation if the job does not name the occurrence made before it. */
function badLink(
  item: SchedulerItemDocument,
  job: OccurrenceJob,
  before: OccurrenceJob | undefined,
): Violation[] {
  const { at, previous } = job.occurrence;
  if (previous?.getTime() === before?.occurrence.at.getTime()) return [];
  const message = `The occurrence of ${item._id} at ${at.toISOString()} does not follow the one before it.`;
  return [{ rule: 'occurrence', message, documents: [before, job, item] }];
}

/**
 * Returns the latest time of the next occurrence after `job`: one period later. If `job` stands for missed occurrences,
 * the next one is the first that was not missed when `job` was made.
 */
function latestNext(item: SchedulerItemDocument, job: OccurrenceJob): number {
  const period = periodOf(item);
  const missedMs = job.created.getTime() - MISSED_AFTER_MS - dueTime(job);
  const missed = item.catchUp === 'all' ? 0 : Math.ceil(missedMs / period);
  return dueTime(job) + Math.max(1, missed) * period;
}

/**
 * Checks that `next` is whole periods after `job`, and that only occurrences missed when `job` was made are left out.
 */
function badStep(
  item: SchedulerItemDocument,
  job: OccurrenceJob,
  next: OccurrenceJob | undefined,
): Violation[] {
  if (next === undefined) return [];
  const step = dueTime(next) - dueTime(job);
  if (step > 0 && step % periodOf(item) === 0 && dueTime(next) <= latestNext(item, job)) return [];
  const what = step === 0 ? 'has two jobs' : 'is followed by a wrong one';
  const message = `The occurrence of ${item._id} at ${job.occurrence.at.toISOString()} ${what}.`;
  return [{ rule: 'occurrence', message, documents: [job, next, item] }];
}

/** Returns a violation if the item moved on from an occurrence without making its job. */
function lastIsMissing(item: SchedulerItemDocument, own: readonly OccurrenceJob[]): Violation[] {
  const { _id, lastCallTime } = item;
  if (lastCallTime === null || own.at(-1)?.occurrence.at.getTime() === lastCallTime.getTime()) return [];
  const message = `The last occurrence of ${_id}, at ${lastCallTime.toISOString()}, has no job.`;
  return [{ rule: 'occurrence', message, documents: [item, own.at(-1)] }];
}

/** Returns a violation if an occurrence due before the end has no job. */
function stoppedEarly(
  item: SchedulerItemDocument,
  own: readonly OccurrenceJob[],
  itemsEnded: Date,
): Violation[] {
  const last = own.at(-1);
  if (last && latestNext(item, last) > itemsEnded.getTime()) return [];
  const message = `The item ${item._id} made no more jobs, though it was due.`;
  return [{ rule: 'occurrence', message, documents: [item, last] }];
}

function madeTwice(notes: readonly Note[]): Violation[] {
  const byJob = groupBy(
    notes.filter(({ kind }) => kind === 'scheduled'),
    ({ job }) => job,
  );
  return [...byJob]
    .filter(([, { length }]) => length > 1)
    .map(([job, documents]) => {
      return { rule: 'occurrence', message: `Job ${job} was made twice by schedulers.`, documents };
    });
}
