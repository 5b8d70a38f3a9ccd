import type { Role } from '../../../src/access/role.js';
import type { RemoteProcessor } from '../../../src/index.js';
import { toIssues } from '../../../src/validate.js';
import type { Kick } from '../../kick.js';
import { addOne, isDue, newJob } from '../add-jobs.js';
import { invalid } from '../problem.js';
import type { Draft } from './job-form.js';

/**
 * Adds the job that a form describes, and returns its id.
 *
 * @throws Problem with the path of everything that is wrong, and what `RemoteProcessor.addJob` throws
 */
export async function addJob(
  processor: RemoteProcessor,
  kick: Kick,
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
  if (isDue(result.data.options ?? {})) await kick();
  return id;
}
