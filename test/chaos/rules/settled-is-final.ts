import { type Case, casesOf, holds } from '../cases.js';
import type { Evidence, Run, Sighting, Violation } from '../evidence.js';

/**
 * Checks invariant 3, in a run that retries no settled jobs: no lease is taken and no function called after the
 * settling.
 */
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

/** Returns when the job was first seen to be settled, in its document now or by a run. */
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
