import { AssertionError } from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';
import { BSON } from 'mongodb';
import type { Job, JobContract, RemoteProcessor } from '../../src/index.js';
import { toInput } from '../../src/job/storable.js';

/** Tells whether an added job's input is the expected one. */
export type InputPredicate = (input: unknown) => boolean;

/** Maximum number of jobs that an error shows. */
const MAX_SHOWN = 10;

/** Maximum number of jobs that are compared, the newest of a kind. It is the size of the longest page. */
const MAX_COMPARED = 1_000;

/**
 * Asserts that a job was added, and returns the newest one that matches. The job may have run since, but must not have
 * been removed.
 *
 * @param job a factory, a contract, or a name
 * @param input the whole input as it was given to `addJob`, or a function that tells whether an input matches. Default:
 *   any input
 * @throws AssertionError naming the jobs that were added instead
 * @example
 * const { runAt } = await expectAdded(processor, remind, { user: 'Ada' });
 */
export async function expectAdded<Input>(
  processor: RemoteProcessor,
  job: JobContract<Input> | string,
  input?: NoInfer<Input> | InputPredicate,
): Promise<Job>;
export async function expectAdded(
  processor: RemoteProcessor,
  job: JobContract | string,
  input?: unknown,
): Promise<Job> {
  const jobName = typeof job === 'string' ? job : job.name;
  const isExpected = predicateOf(jobName, input);
  const { jobs } = await processor.jobs.list({ jobName, limit: MAX_COMPARED });
  const found = jobs.find((added) => isExpected(added.input));
  if (found) return found;
  const { jobs: others } = await processor.jobs.list({ limit: MAX_SHOWN });
  throw new AssertionError({
    message: `Expected that the job ${expectationText(jobName, input)} was added. ${addedText(jobs, others)}`,
    actual: jobs.map((added) => added.input),
    expected: input,
    operator: 'expectAdded',
    stackStartFn: expectAdded,
  });
}

function predicateOf(jobName: string, input: unknown): InputPredicate {
  if (isPredicate(input)) return input;
  if (input === undefined) return () => true;
  const stored = asRead(toInput(input, jobName));
  return (added) => isDeepStrictEqual(asRead(added), stored);
}

/**
 * Returns a value in the form in which the driver reads it now. Values that another driver made, or that were made while
 * Date was faked, differ from it.
 */
function asRead(value: unknown): unknown {
  return BSON.deserialize(BSON.serialize({ value })).value;
}

function isPredicate(input: unknown): input is InputPredicate {
  return typeof input === 'function';
}

function expectationText(jobName: string, input: unknown): string {
  if (input === undefined) return `'${jobName}'`;
  return isPredicate(input)
    ? `'${jobName}' with an input that the function accepts`
    : `'${jobName}' with the input ${inspect(input)}`;
}

function addedText(ofThisKind: readonly Job[], ofAnyKind: readonly Job[]): string {
  if (ofAnyKind.length === 0) return 'No job was added.';
  const [which, jobs] =
    ofThisKind.length > 0
      ? ['It was added with other inputs, the newest first:', ofThisKind.slice(0, MAX_SHOWN)]
      : ['Only other jobs were added, the newest first:', ofAnyKind];
  return [which, ...jobs.map(lineOf)].join('\n');
}

function lineOf({ jobName, input, status }: Job): string {
  return `  '${jobName}' with the input ${inspect(input)} (${status})`;
}
