import type { Evidence, Violation } from '../evidence.js';

/** Invariant 1: an id that was returned has its job, and no other job than was asked for. */
export function nothingLost({ jobs, notes }: Evidence): Violation[] {
  const ids = new Set(jobs.map(({ _id }) => _id));
  return notes.flatMap((note) => {
    if (!ids.has(note.job)) return { rule: 'lost', message: `Job ${note.job} is gone.`, documents: [note] };
    if (note.kind !== 'taken for another') return [];
    return { rule: 'conflict', message: `Id ${note.job} stood for two inputs.`, documents: [note] };
  });
}
