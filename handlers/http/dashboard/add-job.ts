import type { Role } from '../../../src/access/role.js';
import type { AddedJob, RemoteProcessor } from '../../../src/index.js';
import { toIssues } from '../../../src/validate.js';
import { addOne, newJob } from '../add-jobs.js';
import { invalid } from '../problem.js';
import type { Draft } from './job-form.js';
import type { Notice } from './notice.js';

/**
 * Adds the job that a form describes, and returns what became of it.
 *
 * @throws Problem with the path of everything that is wrong, and errors of `RemoteProcessor.addJob`
 */
export async function addJob(
  processor: RemoteProcessor,
  name: string,
  { input, options }: Pick<Draft, 'input' | 'options'>,
  callerRole: Role,
): Promise<AddedJob> {
  const result = newJob.safeParse({
    name,
    ...(input !== undefined && { input }),
    ...(options !== undefined && { options }),
  });
  if (!result.success) throw invalid(toIssues(result.error));
  return addOne(processor, result.data, callerRole);
}

/** Tells a person what became of a job. */
export function additionNotice({ outcome, inputDiffers }: AddedJob): Notice {
  switch (outcome) {
    case 'added':
      return { kind: 'done', text: 'Added.' };
    case 'replaced':
      return { kind: 'done', text: 'This waiting job has the unique key. It got the new input and options.' };
    case 'kept': {
      const input = inputDiffers ? 'another input' : 'the same input';
      return { kind: 'problem', text: `Not added: this job has the unique key, and ${input}.` };
    }
  }
}
