import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Collection } from 'mongodb';
import type { Events } from '../events.js';
import type { JobFactory } from '../job/define-job.js';
import type { JobDocument } from '../job/job.js';
import type { JobProcessor } from '../job/job-context.js';
import type { Middlewares } from '../job/middleware.js';
import type { ClaimFilter } from '../job/queued-jobs.js';
import type { ReadySignal } from '../jobs-ready.js';
import type { Logger } from '../log.js';
import type { RecentDurations } from './recent-durations.js';
import type { StopSignal } from './stop-signal.js';
import type { WorkerDocument } from './worker-document.js';

/** What drains work with: resolved, the same for each of them. */
export interface Worker {
  readonly jobs: Collection<JobDocument>;
  readonly workers: Collection<WorkerDocument>;
  readonly processor: JobProcessor;
  readonly factory: (jobName: string) => JobFactory | undefined;
  readonly claimFilter: () => ClaimFilter;
  /** The same, without the queues that are paused. @throws what the driver throws */
  readonly claimable: () => Promise<ClaimFilter>;
  /** The filter for jobs that are to run alone: without the queues that are known to be paused. */
  readonly aloneFilter: () => ClaimFilter;
  /** Recovers jobs whose workers crashed, and returns whether some are to run alone. Never throws. */
  readonly lookForLost: () => Promise<boolean>;
  /** Of the processor: begins the worker's name in leases. */
  readonly name: string;
  readonly leaseMs: number;
  readonly durations: RecentDurations;
  readonly events: Events;
  readonly middlewares: Middlewares;
  readonly jobsReady: ReadySignal;
  readonly log: Logger;
}

/**
 * Once `stop` fires, nothing is claimed, and what still runs is told; at `cutOff` it is given back as it is. Nothing is
 * claimed that would not end before `stopAt`.
 */
export interface DrainLimits extends StopSignal {
  /** How many jobs run at a time. */
  readonly maxThreads: number;
  /** Claims at most this many jobs in all. */
  readonly maxJobs: number;
  /** Whether it begins with the jobs that are to run alone. */
  readonly runsAlone: boolean;
  /** While jobs run and slots are free, look for new jobs this often. Never when absent. */
  readonly pollMs?: number;
  /** Waits for a job that is due within so long; 0 for none. */
  readonly lingerMs: number;
  /** Only one worker of a processor's name waits at a time, and is not counted while it does. Default: each may. */
  readonly lingersAlone?: boolean;
  /** Claims no more once an attempt was abandoned: for a process that should end soon. */
  readonly stopWhenAbandoned?: boolean;
}

/** A name for one drain, that tells where it ran: jobs whose leases have the same one were lost together. */
export function workerName(processorName: string): string {
  return `${processorName}-worker ${hostname()} ${process.pid} ${randomBytes(4).toString('hex')}`;
}
