import type { Role } from '../../src/access/role.js';
import type { Job, RemoteProcessor, SchedulerItem } from '../../src/index.js';
import type { FoundSteps } from '../../src/job/find-steps.js';

/** Whoever looks, and at what. */
export interface Onlooker {
  readonly processor: RemoteProcessor;
  readonly callerRole: Role;
}

/** Returns jobs as a caller may see them: all but an admin see masks in place of the values of redacted fields. */
export async function jobsSeenBy(
  { processor, callerRole }: Onlooker,
  jobs: readonly Job[],
): Promise<readonly Job[]> {
  return callerRole === 'admin' ? jobs : processor.factories.masked(jobs);
}

/** As `jobsSeenBy`, for one job. */
export async function jobSeenBy(onlooker: Onlooker, job: Job): Promise<Job> {
  const [seen = job] = await jobsSeenBy(onlooker, [job]);
  return seen;
}

/** As `jobsSeenBy`, for scheduler items. */
export async function schedulersSeenBy(
  { processor, callerRole }: Onlooker,
  items: readonly SchedulerItem[],
): Promise<readonly SchedulerItem[]> {
  return callerRole === 'admin' ? items : processor.factories.maskedInputs(items);
}

/** As `schedulersSeenBy`, for one item. */
export async function schedulerSeenBy(onlooker: Onlooker, item: SchedulerItem): Promise<SchedulerItem> {
  const [seen = item] = await schedulersSeenBy(onlooker, [item]);
  return seen;
}

/** As `jobsSeenBy`, for the steps of a job. */
export async function stepsSeenBy(
  { processor, callerRole }: Onlooker,
  id: string,
  steps: FoundSteps,
): Promise<FoundSteps> {
  if (callerRole === 'admin' || steps.isBrief) return steps;
  return processor.factories.maskedSteps(steps, async () => (await processor.getJob(id))?.input);
}
