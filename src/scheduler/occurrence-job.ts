import { createHash } from 'node:crypto';
import { ObjectId } from 'mongodb';
import type { NewJob } from '../job/insert-job.js';
import type { Occurrence } from '../job/job.js';
import { type JobDefaults, withDefaults } from '../job/job-options.js';
import type { SchedulerDefinition } from './scheduler-options.js';

export type OccurrenceJob = NewJob & { readonly runAt: Date; readonly occurrence: Occurrence };

export function occurrenceJob(
  definition: SchedulerDefinition,
  occurrence: Occurrence,
  defaults: JobDefaults,
): OccurrenceJob {
  const { at } = occurrence;
  const { jitter = 0 } = definition;
  const runAt = new Date(at.getTime() + Math.floor(jitter * fraction(occurrence)));
  return { ...jobOf(definition, at, defaults), runAt, occurrence };
}

/** Returns a job as the item would make it for this moment, but without an occurrence. */
export function jobOf(definition: SchedulerDefinition, at: Date, defaults: JobDefaults): NewJob {
  const { jobName, jobOptions = {} } = definition;
  return {
    id: new ObjectId().toHexString(),
    jobName,
    ...withDefaults(jobOptions, defaults),
    input: inputAt(definition, at),
    runAt: at,
  };
}

/** Returns the item's input, with the moment in the field that `timeField` names, if any. */
export function inputAt(
  { input, timeField }: Pick<SchedulerDefinition, 'input' | 'timeField'>,
  at: Date,
): unknown {
  return timeField === undefined ? input : { ...asObject(input), [timeField]: at.toISOString() };
}

function asObject(input: unknown): object {
  return typeof input === 'object' && input !== null ? input : {};
}

/**
 * Returns a number from 0 to below 1 that is always the same for an occurrence, so that a job that is made again keeps
 * its `runAt`.
 */
function fraction({ item, at }: Occurrence): number {
  const digest = createHash('sha256').update(`${item} ${at.toISOString()}`).digest();
  return digest.readUInt32BE() / 2 ** 32;
}
