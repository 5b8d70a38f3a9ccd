import type { JobDocument } from '../../../src/job/job.js';
import { casesOf } from '../cases.js';
import type { Evidence, Violation } from '../evidence.js';

/** Checks that one lease after the end no job is `processing`, and no due job waits. */
export function nothingLeft(evidence: Evidence): Violation[] {
  return casesOf(evidence).flatMap(({ job, runs }) => {
    const message = whyLeft(job, evidence.now, evidence.leaseMs);
    return message === undefined ? [] : { rule: 'left', message, documents: [job, ...runs] };
  });
}

function whyLeft({ _id, status, lease, runAt }: JobDocument, now: Date, leaseMs: number): string | undefined {
  if (status === 'queued' && runAt <= now) return `Job ${_id} is due, and was left waiting.`;
  if (status !== 'processing') return undefined;
  const expires = lease?.expires.getTime() ?? 0;
  return now.getTime() > expires + leaseMs ? `Job ${_id} is stuck in processing.` : undefined;
}
