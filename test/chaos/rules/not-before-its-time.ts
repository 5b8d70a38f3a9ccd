import { casesOf } from '../cases.js';
import type { Evidence, Violation } from '../evidence.js';

/** Checks invariant 6: no attempt begins before `runAt` by the database's clock. */
export function notBeforeItsTime(evidence: Evidence): Violation[] {
  return casesOf(evidence).flatMap(({ job, holders }) =>
    holders
      .filter(({ picked, began }) => picked < began.runAt)
      .map(({ run }) => ({
        rule: 'too early',
        message: `Job ${job._id} ran before its time.`,
        documents: [run, job],
      })),
  );
}
