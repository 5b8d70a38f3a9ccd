import { BSON } from 'mongodb';
import type { Role } from '../access/role.js';
import { isKind } from '../brand.js';
import { ValidationError } from '../errors.js';
import { isOrdered } from '../job/flow-rules.js';
import type { JobRegistry } from '../job/registry.js';
import { isPlainObject, toInput } from '../job/storable.js';
import { inputAt } from './occurrence-job.js';
import type { SchedulerDefinition } from './scheduler-options.js';

/**
 * Checks that the job is known and accepts the input. Returns the definition with the input in stored form.
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
  const input = await underInput(subject, () => requireSmall(toInput(given, jobName)));
  if (timeField !== undefined && given !== undefined && !isPlainObject(given))
    throw new ValidationError(subject, [
      { path: 'timeField', message: 'expected an input that is an object: the moment becomes a field of it' },
    ]);
  const { limits } = await underInput(subject, () =>
    job.checkInput(toInput(inputAt({ input, timeField }, now), jobName)),
  );
  if (isOrdered(limits)) throw new ValidationError(subject, [{ path: 'jobName', message: IN_ORDER }]);
  return { ...definition, ...(input !== undefined && { input }) };
}

const IN_ORDER =
  'its jobs run in the order in which they are added, so a schedule cannot make them ahead: schedule a job that adds them';

/**
 * Maximum size of an item's input. A job's input may be larger. An item's may not, because people read lists of items, and each
 * job copies the input.
 */
export const MAX_INPUT_BYTES = 64 * 1024;

function requireSmall(input: unknown): unknown {
  const bytes = BSON.calculateObjectSize({ input });
  if (bytes <= MAX_INPUT_BYTES) return input;
  const message = `expected at most ${MAX_INPUT_BYTES} bytes as BSON for a scheduler item, not ${bytes}: store the data elsewhere and pass a reference`;
  throw new ValidationError('Input', [{ path: '', message }]);
}

/** Reports issues under `input`, because a field `input.delay` differs from the option `delay`. */
async function underInput<Result>(subject: string, check: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await check();
  } catch (error) {
    if (!isKind(error, ValidationError)) throw error;
    const issues = error.issues.map(({ path, message }) => {
      return { path: path === '' ? 'input' : `input.${path}`, message };
    });
    throw new ValidationError(subject, issues);
  }
}
