import type { Collection } from 'mongodb';
import type { FailureDocument } from '../failure/failure-document.js';
import type { FlowCollections, LimitDocument } from '../flow/limit-document.js';
import type { QueueCollections, QueueDocument } from '../queue/queue-document.js';
import type { SchedulerCollections } from '../scheduler/scheduler-collection.js';
import type { StatisticsCollections } from '../statistics/roll-up-hours.js';
import type { LiveWorker, WorkerDocument } from '../worker/worker-document.js';

/** The collections that show the state of a deployment. */
export interface VerdictCollections
  extends FlowCollections,
    QueueCollections,
    SchedulerCollections,
    StatisticsCollections {
  readonly workers: Collection<WorkerDocument>;
  readonly failures: Collection<FailureDocument>;
}

/** Facts that every rule gets. */
export interface Situation {
  readonly collections: VerdictCollections;
  /** Now, by the database's clock. */
  readonly now: Date;
  /** The paused queues, at most 1,000. */
  readonly pausedQueues: readonly QueueDocument[];
  /** The circuit breakers that are open, or half open, at most 100. */
  readonly openBreakers: readonly LimitDocument[];
  /** The workers that have claimed a job, at most 200. A worker without a job to claim is not among them. */
  readonly workers: readonly Pick<LiveWorker, 'queues'>[];
}

/** Returns the moment this long ago. */
export function before({ now }: Pick<Situation, 'now'>, ms: number): Date {
  return new Date(now.getTime() - ms);
}

/** Returns the names of the paused queues. */
export function pausedNames({ pausedQueues }: Pick<Situation, 'pausedQueues'>): ReadonlySet<string> {
  return new Set(pausedQueues.map(({ _id }) => _id));
}

/** Returns whether any worker takes jobs of this queue. */
export function isTaken(queue: string, workers: Situation['workers']): boolean {
  return workers.some(({ queues }) => queues === undefined || queues.includes(queue));
}
