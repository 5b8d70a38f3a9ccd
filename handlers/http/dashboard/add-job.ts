import type { Role } from '../../../src/access/role.js';
import type { RemoteProcessor } from '../../../src/index.js';
import { toIssues } from '../../../src/validate.js';
import { addOne, newJob } from '../add-jobs.js';
import { invalid } from '../problem.js';
import type { Draft } from './job-form.js';

/**
 * Adds the job that a form describes, and returns its id.
 *
 * @throws Problem with the path of everything that is wrong, and errors of `RemoteProcessor.addJob`
 */
export async function addJob(
  processor: RemoteProcessor,
  name: string,
  { input, options }: Pick<Draft, 'input' | 'options'>,
  callerRole: Role,
): Promise<string> {
  const result = newJob.safeParse({
    name,
    ...(input !== undefined && { input }),
    ...(options !== undefined && { options }),
  });
  if (!result.success) throw invalid(toIssues(result.error));
  const { id } = await addOne(processor, result.data, callerRole);
  return id;
}
