import { ValidationError } from '../errors.js';
import type { JobRegistry } from '../job/registry.js';
import { isPlainObject, toInput } from '../job/storable.js';
import { inputAt } from './occurrence-job.js';
import type { SchedulerDefinition } from './scheduler-options.js';

/**
 * The definition with its input as it is stored, once its job is known and takes that input.
 *
 * @throws UnknownJobNameError, ValidationError
 */
export async function checkJob(
  registry: JobRegistry,
  definition: SchedulerDefinition,
  now: Date,
  subject: string,
): Promise<SchedulerDefinition> {
  const { input: given, jobName, timeField } = definition;
  const job = await registry.find(jobName);
  const input = toInput(given, jobName);
  if (timeField !== undefined && given !== undefined && !isPlainObject(given))
    throw new ValidationError(subject, [
      { path: 'timeField', message: 'expected an input that is an object: the moment becomes a field of it' },
    ]);
  await job.checkInput(toInput(inputAt({ input, timeField }, now), jobName));
  return { ...definition, ...(input !== undefined && { input }) };
}
