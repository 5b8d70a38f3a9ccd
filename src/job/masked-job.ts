import type { FoundSteps } from './find-steps.js';
import type { Job } from './job.js';
import { masked, meets } from './redacted-paths.js';
import { Secrets } from './secrets.js';

/** The redacted paths of a kind of jobs. Undefined if nobody knows the kind: then all its values are masked. */
export type Redaction = readonly string[] | undefined;

/**
 * Returns a job with the values of redacted fields masked. Masks the redacted paths in input, output and progress, and
 * these values wherever else they appear. If the job was read without its input, the values are unknown, and only the paths
 * are masked.
 */
export function maskedJob(job: Job, paths: Redaction): Job {
  if (paths?.length === 0) return job;
  const secrets = new Secrets(paths ?? []).learn(job.input);
  const hide = (value: unknown) => secrets.hideIn(masked(value, paths));
  const { input, output, progress, uniqueKey, keys, errors } = job;
  return {
    ...job,
    ...(input !== undefined && { input: masked(input, paths) }),
    ...(output !== undefined && { output: hide(output) }),
    ...(progress !== undefined && { progress: hide(progress) }),
    ...(uniqueKey !== undefined && { uniqueKey: secrets.hide(uniqueKey) }),
    ...(keys && { keys: keys.filter((key) => paths && !meets(key.slice(0, key.indexOf('=')), paths)) }),
    errors: errors.map((error) => secrets.hideFailure(error)),
  };
}

/** Returns the steps of a job as `maskedJob` does the job. @param input input of the job */
export function maskedSteps(steps: FoundSteps, input: unknown, paths: Redaction): FoundSteps {
  const secrets = new Secrets(paths ?? []).learn(input);
  const hide = (value: unknown) => secrets.hideIn(masked(value, paths));
  return {
    ...steps,
    steps: steps.steps.map((step) => ({
      ...step,
      ...(step.result !== undefined && { result: hide(step.result) }),
      ...(step.cursor !== undefined && { cursor: hide(step.cursor) }),
      ...(step.failure && { failure: secrets.hideFailure(step.failure) }),
    })),
    signals: steps.signals.map((signal) => ({
      ...signal,
      ...(signal.payload !== undefined && { payload: hide(signal.payload) }),
    })),
  };
}
