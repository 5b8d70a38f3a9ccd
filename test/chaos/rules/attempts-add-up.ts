import { type Case, casesOf } from '../cases.js';
import type { Evidence, Violation } from '../evidence.js';
import { groupBy } from '../group-by.js';

/**
 * Checks that each claim counts in `retryCounter` or `givenBackCounter` and is one run. No claim is missing in the
 * counters, none ran twice under one token, and the ledger misses no more runs than interruptions explain.
 */
export function attemptsAddUp(evidence: Evidence): Violation[] {
  const cases = casesOf(evidence);
  const short = countShort(cases);
  const tooShort = {
    rule: 'attempts',
    message: `${short} claims never ran; the interruptions account for ${evidence.mayBeShort}.`,
    documents: cases.filter((one) => claims(one) > one.runs.length).map(({ job }) => job),
  };
  return [...cases.flatMap(ofJob), ...(short > evidence.mayBeShort ? [tooShort] : [])];
}

/** Counts the claims without a run. */
export function countShort(cases: readonly Case[]): number {
  return cases.reduce((sum, one) => sum + Math.max(0, claims(one) - one.runs.length), 0);
}

function claims({ job }: Case): number {
  return job.retryCounter + job.givenBackCounter;
}

function ofJob(one: Case): Violation[] {
  const { job, runs } = one;
  const { _id, retryCounter, maxRetries } = job;
  const twice = [...groupBy(runs, ({ token }) => token).values()].filter(({ length }) => length > 1);
  const last = Math.max(0, ...runs.map(({ attempt }) => attempt));
  return [
    ...(runs.length > claims(one)
      ? [violation(`Job ${_id} ran ${runs.length} times, and counted ${claims(one)}.`, job, runs)]
      : []),
    ...twice.map((same) => violation(`Job ${_id} ran twice under one token.`, job, same)),
    ...(retryCounter > maxRetries || last > maxRetries
      ? [violation(`Job ${_id} had more than its ${maxRetries} attempts.`, job, runs)]
      : []),
  ];
}

function violation(message: string, ...documents: unknown[]): Violation {
  return { rule: 'attempts', message, documents };
}
