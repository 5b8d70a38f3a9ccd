import { casesOf } from '../cases.js';
import type { Evidence, Violation } from '../evidence.js';

/** Checks invariant 5: after a request to cancel, no attempt begins, and the job ends `cancelled`. */
export function cancelledMeansCancelled(evidence: Evidence): Violation[] {
  const asked = new Set(evidence.notes.filter(({ kind }) => kind === 'cancelled').map(({ job }) => job));
  return casesOf(evidence).flatMap(({ job, holders }) => {
    const { _id, status, cancelRequested } = job;
    const begun = holders.filter(({ picked }) => cancelRequested !== undefined && picked > cancelRequested);
    const wasAsked = cancelRequested !== undefined || asked.has(_id);
    return [
      ...begun.map(({ run }) => ({
        rule: 'cancelled',
        message: `Job ${_id} was started after it was cancelled.`,
        documents: [run, job],
      })),
      ...(wasAsked && status !== 'cancelled'
        ? [
            {
              rule: 'cancelled',
              message: `Job ${_id} was to be cancelled, and is ${status}.`,
              documents: [job],
            },
          ]
        : []),
    ];
  });
}
