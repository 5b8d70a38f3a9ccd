import { z } from 'zod';
import { casesOf } from '../cases.js';
import type { Evidence, Violation } from '../evidence.js';

const outputSchema = z.object({ token: z.string() });

/** Checks that a completed job has the output of the run whose lease it was completed under, and that the run returned. */
export function outcomeIsItsOwn(evidence: Evidence): Violation[] {
  return casesOf(evidence).flatMap(({ job, runs }) => {
    if (job.status !== 'completed') return [];
    const output = outputSchema.safeParse(job.output);
    const returned = runs.find(({ token, ended }) => token === job.lastToken && ended?.how === 'returned');
    if (returned && output.success && output.data.token === returned.token) return [];
    const message = `Job ${job._id} was completed by another run than the one that held its lease.`;
    return [{ rule: 'fencing', message, documents: [job, ...runs] }];
  });
}
