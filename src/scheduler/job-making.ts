import type { Events } from '../events.js';
import type { JobRegistry } from '../job/registry.js';
import { KnownKinds } from './known-kinds.js';
import type { MadeJob } from './make-planned.js';
import { PreparedJobs } from './prepared-jobs.js';

/** Everything needed to make the jobs of items, gathered before the transaction begins. */
export interface JobMaking {
  readonly kinds: KnownKinds;
  readonly prepared: PreparedJobs;
  readonly events: Events;
}

/** The part of the registry that is needed to make jobs. */
export type JobMaker = Pick<JobRegistry, 'kindsOf' | 'middlewares' | 'events'>;

/** Makes jobs, and releases prepared jobs that were not made in the end. */
export async function makingJobs<Result>(
  { kindsOf, middlewares, events }: JobMaker,
  make: (making: JobMaking) => Promise<Result>,
): Promise<Result> {
  const prepared = new PreparedJobs(middlewares);
  try {
    return await make({ kinds: new KnownKinds(kindsOf), prepared, events });
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
