import { ObjectId } from 'mongodb';
import type * as z from 'zod';
import type { NewJob } from './insert-job.js';
import { type addJobDataSchema, withDefaults } from './job-options.js';
import type { Metadata } from './metadata.js';
import type { AddableJob } from './registry.js';
import { toInput } from './storable.js';

/** Returns the job to be written. Its id is chosen before the first try, so that a second try finds the job. */
export async function toNewJob(
  { defaults, checkInput }: AddableJob,
  jobName: string,
  input: unknown,
  options: z.output<typeof addJobDataSchema> & { readonly metadata?: Metadata | undefined },
): Promise<NewJob> {
  const { id, uniqueKey, runAt, delay, metadata } = options;
  const { queue, priority, maxRetries, retryDelay, retention } = withDefaults(options, defaults);
  const storable = toInput(input, jobName);
  await checkInput(storable);
  return {
    id: id ?? new ObjectId().toHexString(),
    jobName,
    input: storable,
    queue,
    priority,
    maxRetries,
    retryDelay,
    retention,
    runAt: runAt ?? delay ?? 0,
    uniqueKey,
    metadata,
  };
}
