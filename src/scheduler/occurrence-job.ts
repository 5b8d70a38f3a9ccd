import { createHash } from 'node:crypto';
import { ObjectId } from 'mongodb';
import type { NewJob } from '../job/insert-job.js';
import type { Occurrence } from '../job/job.js';
import { jobDefaultsSchema, withDefaults } from '../job/job-options.js';
import type { KnownKind } from '../job/registry.js';
import { searchKeysOf } from '../job/search-keys.js';
import type { SchedulerDefinition } from './scheduler-options.js';

export type OccurrenceJob = NewJob & { readonly runAt: Date; readonly occurrence: Occurrence };

export function occurrenceJob(
  definition: SchedulerDefinition,
  occurrence: Occurrence,
  kind?: KnownKind,
): OccurrenceJob {
  const { at } = occurrence;
  const { jitter = 0 } = definition;
  const runAt = new Date(at.getTime() + Math.floor(jitter * fraction(occurrence)));
  return { ...jobOf(definition, at, kind), runAt, occurrence };
}

/**
 * Returns the job that the item would make for this moment, but without an occurrence.
 *
 * @param kind its kind. An unknown one has the general defaults
 */
export function jobOf(
  definition: SchedulerDefinition,
  at: Date,
  { defaults, searchable }: KnownKind = { defaults: jobDefaultsSchema.parse({}) },
): NewJob {
  const { jobName, jobOptions = {} } = definition;
  const input = inputAt(definition, at);
  return {
    id: new ObjectId().toHexString(),
    jobName,
    ...withDefaults(jobOptions, defaults),
    input,
    runAt: at,
    keys: searchKeysOf(searchable, input),
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
 * Returns a number from 0 to below 1 that is always the same for an occurrence. So a job that is made again keeps its `runAt`.
 */
function fraction({ item, at }: Occurrence): number {
  const digest = createHash('sha256').update(`${item} ${at.toISOString()}`).digest();
  return digest.readUInt32BE() / 2 ** 32;
}
