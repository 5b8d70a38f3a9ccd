import { jobStatuses } from '../../src/index.js';
import { casesOf, holds } from './cases.js';
import type { Evidence, Run, Violation } from './evidence.js';
import { jobNames } from './plan-jobs.js';
import { countShort } from './rules/attempts-add-up.js';

/** The evidence in numbers. */
export type Counts = Record<string, number>;

/** Counts the evidence, and the violations by rule. */
export function countEvidence(evidence: Evidence, violations: readonly Violation[]): Counts {
  const { jobs, runs, notes } = evidence;
  const having = (status: string) => jobs.filter((job) => job.status === status).length;
  const breaking = (rule: string) => violations.filter((violation) => violation.rule === rule).length;
  const runsOf = (kind: string) => {
    const ofKind = new Set(jobs.filter(({ jobName }) => jobName === kind).map(({ _id }) => _id));
    return runs.filter(({ job }) => ofKind.has(job)).length;
  };
  const waiting = having('queued') + having('processing');
  return {
    added: jobs.length,
    acknowledged: new Set(notes.map(({ job }) => job)).size,
    settled: jobs.length - waiting,
    waiting,
    ...Object.fromEntries(jobStatuses.map((status) => [status, having(status)])),
    inThreads: runsOf(jobNames.thread),
    inSteps: runsOf(jobNames.stepped),
    tried: runs.filter(({ breaker, token }) => breaker?.probe?.token === token).length,
    children: jobs.filter(({ parents }) => parents).length,
    afterBatches: jobs.filter(({ after, picked }) => after && picked).length,
    occurrences: jobs.filter(({ occurrence }) => occurrence).length,
    runs: runs.length,
    short: countShort(casesOf(evidence)),
    staleOutcomes: runs.filter((run) => run.ended && !holds(run, run.ended.sighting)).length,
    staleWhileHeld: runs.filter(endedWhileAnotherHeld).length,
    lost: breaking('lost'),
    overlaps: breaking('overlap') + breaking('fencing'),
    afterSettle: breaking('after settle'),
    violations: violations.length,
  };
}

/** Returns whether only the fencing token kept a run's outcome from ending the lease of another run. */
function endedWhileAnotherHeld(run: Run): boolean {
  const sighting = run.ended?.sighting;
  return sighting?.status === 'processing' && !holds(run, sighting);
}

/** Formats the counts as one line. */
export function formatCounts(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name}=${count}`)
    .join(' ');
}
