import type { JobDocument } from '../../../src/job/job.js';
import type { SchedulerItemDocument } from '../../../src/scheduler/item.js';
import type { Evidence, Violation } from '../evidence.js';

type OccurrenceJob = JobDocument & Required<Pick<JobDocument, 'occurrence'>>;

/** Invariant 4, for `Delay` items: no occurrence has two jobs, and none that came due after the last job was left out. */
export function oneJobPerOccurrence({ items, jobs }: Evidence): Violation[] {
  const occurrences = jobs.filter((job): job is OccurrenceJob => job.occurrence !== undefined);
  return items.flatMap((item) => {
    const own = occurrences
      .filter(({ occurrence }) => occurrence.item === item._id)
      .sort((a, b) => dueTime(a) - dueTime(b));
    return [...own.flatMap((job, index) => badStep(item, job, own[index + 1])), ...lastIsMissing(item, own)];
  });
}

function dueTime({ occurrence }: OccurrenceJob): number {
  return occurrence.at.getTime();
}

/** From one job to the next: whole delays, and none that was still to come when the first job was made. */
function badStep(
  item: SchedulerItemDocument,
  job: OccurrenceJob,
  next: OccurrenceJob | undefined,
): Violation[] {
  if (item.type !== 'Delay' || next === undefined) return [];
  const step = dueTime(next) - dueTime(job);
  const missed = Math.max(0, Math.floor((job.created.getTime() - dueTime(job)) / item.delay));
  if (step > 0 && step % item.delay === 0 && step <= (missed + 1) * item.delay) return [];
  const what = step === 0 ? 'has two jobs' : 'is followed by a wrong one';
  const message = `The occurrence of ${item._id} at ${job.occurrence.at.toISOString()} ${what}.`;
  return [{ rule: 'occurrence', message, documents: [job, next, item] }];
}

/** The item moved on from an occurrence without making its job. */
function lastIsMissing(item: SchedulerItemDocument, own: readonly OccurrenceJob[]): Violation[] {
  const { _id, lastCallTime } = item;
  if (lastCallTime === null || own.at(-1)?.occurrence.at.getTime() === lastCallTime.getTime()) return [];
  const message = `The last occurrence of ${_id}, at ${lastCallTime.toISOString()}, has no job.`;
  return [{ rule: 'occurrence', message, documents: [item, own.at(-1)] }];
}
