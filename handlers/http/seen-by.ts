import type { Role } from '../../src/access/role.js';
import type { Job, JobResult, RemoteProcessor, SchedulerItem } from '../../src/index.js';
import type { FoundSteps } from '../../src/job/find-steps.js';
import { maskedSteps } from '../../src/job/masked-job.js';
import { masked, restored } from '../../src/job/redacted-paths.js';

/** The person or program that looks, and the processor. */
export interface Onlooker {
  readonly processor: RemoteProcessor;
  readonly callerRole: Role;
}

/**
 * Returns jobs as a caller may see them. An admin sees all values. Others see masks in place of the values of redacted
 * fields.
 */
export async function jobsSeenBy(
  { processor, callerRole }: Onlooker,
  jobs: readonly Job[],
): Promise<readonly Job[]> {
  return callerRole === 'admin' ? jobs : processor.factories.masked(jobs);
}

/** Does what `jobsSeenBy` does, for one job. */
export async function jobSeenBy(onlooker: Onlooker, job: Job): Promise<Job> {
  const [seen = job] = await jobsSeenBy(onlooker, [job]);
  return seen;
}

/** Does what `jobsSeenBy` does, for scheduler items. */
export async function schedulersSeenBy(
  { processor, callerRole }: Onlooker,
  items: readonly SchedulerItem[],
): Promise<readonly SchedulerItem[]> {
  if (callerRole === 'admin') return items;
  const redactions = await processor.factories.redactions(items.map(({ jobName }) => jobName));
  return items.map((item) =>
    item.input === undefined ? item : { ...item, input: masked(item.input, redactions.get(item.jobName)) },
  );
}

/** Does what `schedulersSeenBy` does, for one item. */
export async function schedulerSeenBy(onlooker: Onlooker, item: SchedulerItem): Promise<SchedulerItem> {
  const [seen = item] = await schedulersSeenBy(onlooker, [item]);
  return seen;
}

/** Does what `jobsSeenBy` does, for the steps of a job. */
export async function stepsSeenBy(
  { processor, callerRole }: Onlooker,
  id: string,
  steps: FoundSteps,
): Promise<FoundSteps> {
  if (callerRole === 'admin' || steps.isBrief) return steps;
  const { jobName } = steps;
  const paths = (await processor.factories.redactions([jobName])).get(jobName);
  if (paths?.length === 0) return steps;
  return maskedSteps(steps, (await processor.getJob(id))?.input, paths);
}

/**
 * Does what `jobsSeenBy` does, for the results of a batch or a workflow. The output of a kind with redacted fields is
 * masked as a whole. Values of the input may stand anywhere in the output, and the input is not read here.
 */
export async function resultsSeenBy<Result extends JobResult>(
  { processor, callerRole }: Onlooker,
  results: readonly Result[],
): Promise<readonly Result[]> {
  if (callerRole === 'admin') return results;
  const redactions = await processor.factories.redactions(results.map(({ jobName }) => jobName));
  const isHidden = ({ jobName, output }: JobResult) =>
    output !== undefined && redactions.get(jobName)?.length !== 0;
  return results.map((result) =>
    isHidden(result) ? { ...result, output: masked(result.output, undefined) } : result,
  );
}

/** Returns an input that somebody saw with masks and sends back. The values of a job of its kind replace the masks. */
export async function withValuesOf(
  processor: RemoteProcessor,
  { jobName, input }: Pick<Job, 'jobName' | 'input'>,
  given: unknown,
): Promise<unknown> {
  const paths = (await processor.factories.redactions([jobName])).get(jobName);
  return restored(given, input, paths ?? []);
}
