import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Collection, MongoClient } from 'mongodb';
import type { Events } from '../events.js';
import type { Breakers } from '../flow/breakers.js';
import type { Gate } from '../flow/gate.js';
import type { Lines } from '../flow/lines.js';
import type { Groups } from '../group/groups.js';
import type { JobFactory } from '../job/define-job.js';
import type { JobDocument } from '../job/job.js';
import type { JobProcessor } from '../job/job-context.js';
import type { Middlewares } from '../job/middleware.js';
import type { ClaimFilter } from '../job/queued-jobs.js';
import type { StepPageDocument } from '../job/step-pages.js';
import type { ReadySignal } from '../jobs-ready.js';
import type { Logger } from '../log.js';
import type { ChildStore } from '../step/step-host.js';
import type { StepRules } from '../step/step-rules.js';
import type { RecentDurations } from './recent-durations.js';
import type { StopSignal } from './stop-signal.js';
import type { WorkerDocument } from './worker-document.js';

/** Everything that the drains of a processor share. In leases, documents and events, one drain is called a worker. */
export interface SharedByDrains {
  readonly client: MongoClient;
  readonly jobs: Collection<JobDocument>;
  readonly jobSteps: Collection<StepPageDocument>;
  readonly workers: Collection<WorkerDocument>;
  readonly processor: JobProcessor;
  readonly factory: (jobName: string) => JobFactory | undefined;
  readonly claimFilter: () => ClaimFilter;
  /** Returns the claim filter without paused queues. @throws the driver's errors */
  readonly claimable: () => Promise<ClaimFilter>;
  /** Returns the claim filter for jobs that must run alone, without paused queues. @throws the driver's errors */
  readonly aloneFilter: () => Promise<ClaimFilter>;
  /** Admits claimed jobs, as far as their limits allow. */
  readonly gate: Gate;
  /** The circuit breakers of the kinds of jobs. */
  readonly breakers: Breakers;
  /** The jobs that wait for a place in a limit. */
  readonly lines: Lines;
  /** Looks after jobs that wait for others. */
  readonly groups: Groups;
  /** How steps add other jobs. */
  readonly children: ChildStore;
  /** Recovers jobs of crashed workers, and returns whether some must run alone. Never throws. */
  readonly recoverLost: () => Promise<boolean>;
  /** Name of the processor, with which worker names in leases begin. */
  readonly name: string;
  readonly leaseMs: number;
  readonly durations: RecentDurations;
  readonly events: Events;
  readonly middlewares: Middlewares;
  /** Returns the link that answers a callback. @throws ConflictError if the processor has no callbacks */
  readonly callbackUrl: (jobId: string, step: string, run: number) => string;
  readonly stepRules: () => StepRules;
  readonly jobsReady: ReadySignal;
  /** Called whenever a drain has looked for work and waits. The call shows that the drain is not stuck. */
  readonly onGoesOn: () => void;
  readonly log: Logger;
}

/**
 * Limits of one drain. After `stop`, nothing is claimed and running jobs are told to stop. At `cutOff` they are given
 * back as they are. A job that would not end before `stopAt` is not claimed.
 */
export interface DrainLimits extends StopSignal {
  /** How many jobs run at a time. */
  readonly maxThreads: number;
  /** Maximum number of jobs claimed in all. */
  readonly maxJobs: number;
  /** Whether the drain begins with the jobs that must run alone. */
  readonly runsAlone: boolean;
  /** How often to look for new jobs while jobs run and slots are free. Absent for never. */
  readonly pollMs?: number;
  /** Waits for a job that becomes due within this time. 0 for none. */
  readonly lingerMs: number;
  /**
   * Lets only one worker per processor name wait at a time. The waiting worker is not counted meanwhile. Default: each may
   * wait.
   */
  readonly lingersAlone?: boolean;
  /** Claims no more once an attempt was abandoned, for a process that should end soon. */
  readonly stopWhenAbandoned?: boolean;
}

/** Everything that the parts of one drain share. */
export interface DrainScope {
  readonly shared: SharedByDrains;
  readonly limits: DrainLimits;
  /** Name of the drain in leases, documents, events and the log. */
  readonly name: string;
  /** Logger that adds this name to each line. */
  readonly log: Logger;
}

/**
 * Makes a unique name for a drain that tells where it ran. Jobs with the same worker name in their leases were lost
 * together.
 */
export function workerName(processorName: string): string {
  return `${processorName}-worker ${hostname()} ${process.pid} ${randomBytes(4).toString('hex')}`;
}
