import type { Db } from 'mongodb';
import { findAllOpen } from '../flow/breaker-statements.js';
import { serverTime } from '../mongo/server-time.js';
import { findPausedQueues } from '../queue/find-paused-queues.js';
import { listLiveWorkers } from '../worker/find-live-workers.js';
import { findFailingJobs } from './failing-jobs.js';
import { findingCodes, type VerdictFinding } from './finding.js';
import { findLateSchedules } from './late-schedules.js';
import { findLostJobs } from './lost-jobs.js';
import { findOpenCircuits } from './open-breakers.js';
import { findPausedQueuesWithJobs } from './paused-queues.js';
import type { Situation, VerdictCollections } from './situation.js';
import { findStoppedLimits } from './stopped-limits.js';
import { findUnclaimedJobs } from './unclaimed-jobs.js';

/** Maximum numbers of workers, paused queues and open breakers that the rules know. */
const MAX_WORKERS = 200;
const MAX_PAUSED = 1_000;
const MAX_OPEN = 100;

/** The state of a deployment. */
export interface Verdict {
  /** When it was judged, by the database's clock. */
  readonly at: Date;
  /** Whether there are no findings. */
  readonly isWell: boolean;
  /** The findings: failures first, then by rule, at most 20 of each rule. */
  readonly findings: readonly VerdictFinding[];
}

type Rule = (situation: Situation) => Promise<readonly VerdictFinding[]>;

const rules: readonly Rule[] = [
  findUnclaimedJobs,
  findLostJobs,
  findLateSchedules,
  findFailingJobs,
  findStoppedLimits,
  findOpenCircuits,
  findPausedQueuesWithJobs,
];

/**
 * Judges the state of a deployment by all rules.
 *
 * Costs 11 commands if all is well. Otherwise it costs more, but a bounded number, however many jobs, queues and limits there
 * are. Each command reads a bounded part of an index.
 *
 * @throws IndexMissingError, and the driver's errors
 */
export async function findVerdict(db: Db, collections: VerdictCollections): Promise<Verdict> {
  const [at, pausedQueues, { workers }, openBreakers] = await Promise.all([
    serverTime(db),
    findPausedQueues(collections.queues, { limit: MAX_PAUSED }),
    listLiveWorkers(collections.workers, { limit: MAX_WORKERS }),
    findAllOpen(collections.limits, MAX_OPEN),
  ]);
  const situation = { collections, now: at, pausedQueues, openBreakers, workers };
  const findings = (await Promise.all(rules.map((rule) => rule(situation)))).flat().sort(worstFirst);
  return { at, isWell: findings.length === 0, findings };
}

function worstFirst(one: VerdictFinding, other: VerdictFinding): number {
  const rank = ({ severity, code }: VerdictFinding) =>
    (severity === 'failure' ? 0 : findingCodes.length) + findingCodes.indexOf(code);
  return rank(one) - rank(other);
}
