import type { Evidence, Violation } from '../evidence.js';

/** Checks invariant 1: every returned id has a job, and it is the job that was asked for. */
export function nothingLost({ jobs, notes }: Evidence): Violation[] {
  const ids = new Set(jobs.map(({ _id }) => _id));
  return notes.flatMap((note) => {
    if (!ids.has(note.job)) return { rule: 'lost', message: `Job ${note.job} is gone.`, documents: [note] };
    if (note.kind !== 'taken for another') return [];
    return { rule: 'conflict', message: `Id ${note.job} stood for two inputs.`, documents: [note] };
  });
}
