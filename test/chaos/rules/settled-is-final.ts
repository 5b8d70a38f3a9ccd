import { type Case, casesOf, holds } from '../cases.js';
import type { Evidence, Run, Sighting, Violation } from '../evidence.js';

/** Invariant 3, in a run in which nobody retries a settled job: no lease is taken and no function called after it. */
export function settledIsFinal(evidence: Evidence): Violation[] {
  return casesOf(evidence).flatMap((one) => {
    const settled = firstSettled(one);
    if (!settled) return [];
    return one.runs
      .filter((run) => beganAfter(run, settled))
      .map((run) => ({
        rule: 'after settle',
        message: `Job ${one.job._id} ran after it was settled at ${settled.toISOString()}.`,
        documents: [run, one.job],
      }));
  });
}

/** When it was first seen to be settled: as its document says now, or as a run saw it. */
function firstSettled({ job, runs }: Case): Date | undefined {
  const seen = runs.flatMap(({ began, ended }) => [settledAt(began), settledAt(ended?.sighting)]);
  return [settledAt(job), ...seen].flatMap((at) => at ?? []).sort((a, b) => a.getTime() - b.getTime())[0];
}

function settledAt(sighting: Pick<Sighting, 'status' | 'completed'> | null | undefined): Date | undefined {
  const isSettled = sighting && !['queued', 'processing'].includes(sighting.status);
  return isSettled ? sighting.completed : undefined;
}

function beganAfter(run: Run, settled: Date): boolean {
  const { began, notBefore } = run;
  return notBefore > settled || (holds(run, began) && began.picked !== undefined && began.picked > settled);
}
