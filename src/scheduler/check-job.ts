import type { Role } from '../access/role.js';
import { ValidationError } from '../errors.js';
import type { JobRegistry } from '../job/registry.js';
import { isPlainObject, toInput } from '../job/storable.js';
import { inputAt } from './occurrence-job.js';
import type { SchedulerDefinition } from './scheduler-options.js';

/**
 * The definition with its input as it is stored, once its job is known and takes that input.
 *
 * @throws UnknownJobNameError, ForbiddenError, ValidationError
 */
export async function checkJob(
  registry: JobRegistry,
  definition: SchedulerDefinition,
  now: Date,
  subject: string,
  callerRole?: Role,
): Promise<SchedulerDefinition> {
  const { input: given, jobName, timeField } = definition;
  const job = await registry.find(jobName, callerRole);
  const input = await underInput(subject, () => toInput(given, jobName));
  if (timeField !== undefined && given !== undefined && !isPlainObject(given))
    throw new ValidationError(subject, [
      { path: 'timeField', message: 'expected an input that is an object: the moment becomes a field of it' },
    ]);
  await underInput(subject, () => job.checkInput(toInput(inputAt({ input, timeField }, now), jobName)));
  return { ...definition, ...(input !== undefined && { input }) };
}

/** What is wrong with the input stands beside what is wrong with other options: `input.delay` is not `delay`. */
async function underInput<Result>(subject: string, check: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const issues = error.issues.map(({ path, message }) => {
      return { path: path === '' ? 'input' : `input.${path}`, message };
    });
    throw new ValidationError(subject, issues);
  }
}
