import { findAllOpen } from '../flow/breaker-statements.js';
import { jobNameOfBreaker } from '../job/breaker-rules.js';
import { findingsOf, type VerdictFinding } from './finding.js';
import type { Situation } from './situation.js';

/** Maximum number of open breakers to read. */
const MAX_READ = 100;

/** Finds circuit breakers that are open, or half open. Reads the breakers of kinds that failed recently. */
export async function findOpenCircuits({ collections: { limits } }: Situation): Promise<VerdictFinding[]> {
  const open = await findAllOpen(limits, MAX_READ);
  return findingsOf(open, ({ _id: key, opened }) => ({
    code: 'open_breaker',
    severity: 'warning',
    about: { type: 'limit', name: key },
    text: `${jobNameOfBreaker(key) ?? key}: its circuit breaker is open, so no job of this kind starts, except one to try`,
    advice: `It closes by itself once a job succeeds. Or: remote-processor limits resume '${key}'`,
    since: opened,
    actions: ['see', 'resume'],
  }));
}
