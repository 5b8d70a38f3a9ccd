import { jobNameOfBreaker } from '../job/breaker-rules.js';
import { findingsOf, type VerdictFinding } from './finding.js';
import type { Situation } from './situation.js';

/** Finds circuit breakers that are open or half open. */
export async function findOpenCircuits({ openBreakers }: Situation): Promise<VerdictFinding[]> {
  return findingsOf(openBreakers, ({ _id: key, opened }) => ({
    code: 'open_breaker',
    severity: 'warning',
    about: { type: 'limit', name: key },
    text: `${jobNameOfBreaker(key) ?? key}: its circuit breaker is open, so no job of this kind starts, except one to try`,
    advice: `It closes by itself once a job succeeds. Or: remote-processor limits resume '${key}'`,
    since: opened,
    actions: ['see', 'resume'],
  }));
}

/** Returns the kinds of jobs that no worker claims now, because their circuit breakers are open. */
export function kindsHeld({ openBreakers }: Pick<Situation, 'openBreakers'>): ReadonlySet<string> {
  return new Set(openBreakers.flatMap(({ _id }) => jobNameOfBreaker(_id) ?? []));
}
