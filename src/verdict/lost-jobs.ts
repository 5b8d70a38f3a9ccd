import ms from 'ms';
import { leaseExpiry } from '../job/indexes.js';
import { BEGINNING_OF_TIME } from '../mongo/any-moment.js';
import { byIndex } from '../mongo/by-index.js';
import { jobsThat, type VerdictFinding } from './finding.js';
import { before, type Situation } from './situation.js';

/**
 * How long an expired lease may stay unrecovered. Three worker invocations come in that time. Each recovers every expired
 * lease.
 */
const LATE_MS = ms('3m');

const MAX_COUNTED = 100;

/** Finds jobs of crashed workers that nobody recovers. */
export async function findLostJobs(situation: Situation): Promise<VerdictFinding[]> {
  const { jobs } = situation.collections;
  const expired = {
    status: 'processing' as const,
    'lease.expires': { $gte: BEGINNING_OF_TIME, $lte: before(situation, LATE_MS) },
  };
  const options = {
    sort: { 'lease.expires': 1 },
    limit: MAX_COUNTED,
    batchSize: MAX_COUNTED + 1,
    projection: { _id: 0, 'lease.expires': 1 },
  } as const;
  const lost = await byIndex(jobs, leaseExpiry, (hint) =>
    jobs.find(expired, { ...options, ...hint }).toArray(),
  );
  if (lost.length === 0) return [];
  return [
    {
      code: 'lost_jobs',
      severity: 'failure',
      about: { type: 'deployment', name: '' },
      text: `${jobsThat(['of a crashed worker was', 'of crashed workers were'], lost.length, MAX_COUNTED)} not recovered for 3 minutes`,
      advice:
        'Check that the scheduler and the worker function are invoked every minute, and read their logs',
      since: lost[0]?.lease?.expires,
      actions: ['see'],
    },
  ];
}
