import type { Events } from '../events.js';
import type { JobRegistry } from '../job/registry.js';
import { KnownDefaults } from './known-defaults.js';
import type { MadeJob } from './make-planned.js';
import { PreparedJobs } from './prepared-jobs.js';

/** Everything needed to make the jobs of items, gathered before the transaction begins. */
export interface JobMaking {
  readonly defaults: KnownDefaults;
  readonly prepared: PreparedJobs;
  readonly events: Events;
}

/** The part of the registry that is needed to make jobs. */
export type JobMaker = Pick<JobRegistry, 'defaultsOf' | 'middlewares' | 'events'>;

/** Makes jobs, and releases prepared jobs that were not made in the end. */
export async function makingJobs<Result>(
  { defaultsOf, middlewares, events }: JobMaker,
  make: (making: JobMaking) => Promise<Result>,
): Promise<Result> {
  const prepared = new PreparedJobs(middlewares);
  try {
    return await make({ defaults: new KnownDefaults(defaultsOf), prepared, events });
  } finally {
    prepared.close();
  }
}

/** Notifies listeners and middleware of jobs. Call this once the jobs are committed. */
export async function tellMade(
  { prepared, events }: Pick<JobMaking, 'prepared' | 'events'>,
  made: readonly MadeJob[],
): Promise<void> {
  for (const { id: jobId, jobName, queue, occurrence } of made) {
    const { item: scheduler, at } = occurrence;
    if (events.isHeard('jobAdded')) events.tell('jobAdded', { jobId, jobName, queue, scheduler });
    if (events.isHeard('scheduleFired')) events.tell('scheduleFired', { scheduler, at, jobId, jobName });
  }
  await prepared.written(made);
}
