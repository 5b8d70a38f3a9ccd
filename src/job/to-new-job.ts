import { ObjectId } from 'mongodb';
import type * as z from 'zod';
import { type Issue, ValidationError } from '../errors.js';
import { isLined, isOrdered } from './flow-rules.js';
import type { NewJob } from './insert-job.js';
import {
  type addJobDataSchema,
  DEFAULT_RETENTION,
  type ResolvedRetention,
  withDefaults,
} from './job-options.js';
import type { Metadata } from './metadata.js';
import { issuesOfShown } from './redacted-paths.js';
import type { AddableJob } from './registry.js';
import { searchKeysOf } from './search-keys.js';
import { toInput } from './storable.js';
import { keyOfJob, plainKey, type UniqueRules } from './unique-rules.js';

type JobData = z.output<typeof addJobDataSchema>;

/** Returns the job to be written. Its id is chosen before the first try, so that a second try finds the job. */
export async function toNewJob(
  { defaults, keys, searchable, redact, checkInput }: AddableJob,
  jobName: string,
  input: unknown,
  options: JobData & { readonly metadata?: Metadata | undefined },
): Promise<NewJob> {
  const { id, runAt, delay, metadata } = options;
  const { queue, priority, maxRetries, retryDelay, retention } = withDefaults(options, defaults);
  const storable = toInput(input, jobName);
  const { parsed, limits } = await checkInput(storable);
  const rules = rulesOf(options) ?? keys;
  if (redact) refuseRedacted(redact, options);
  const key = rules && keyOfJob(rules, jobName, storable, parsed);
  return {
    id: id ?? new ObjectId().toHexString(),
    jobName,
    input: storable,
    queue,
    priority,
    maxRetries,
    retryDelay,
    retention: keptFor(retention, key?.sharing?.periodMs),
    runAt: runAt ?? delay ?? key?.delayMs ?? 0,
    uniqueKey: key?.uniqueKey,
    sharing: key?.sharing,
    metadata,
    keys: searchKeysOf(searchable, storable),
    ...(limits.some(isLined) && { limits }),
  };
}

/** Returns the issues of a job's options. In a strict order, nothing except the moment of adding counts. */
export function orderIssues({ limits }: NewJob, options: Partial<Record<string, unknown>>): Issue[] {
  if (!isOrdered(limits)) return [];
  return ['priority', 'runAt', 'delay', 'debounce']
    .filter((option) => options[option] !== undefined)
    .map((path) => ({ path, message: 'expected none: its jobs run in the order in which they are added' }));
}

/** Refuses a unique key of redacted values, since keys are shown. @throws ValidationError */
function refuseRedacted(redact: readonly string[], { unique, debounce }: JobData): void {
  const shown = Object.entries({ unique, debounce }).flatMap(([name, rule]) =>
    (rule?.by ?? []).map((path) => ({ path, at: `${name}.by` })),
  );
  const issues = issuesOfShown(shown, redact);
  if (issues.length > 0) throw new ValidationError('The options of the job', issues);
}

function rulesOf({ uniqueKey, unique, debounce }: JobData): UniqueRules | undefined {
  if (uniqueKey !== undefined) return plainKey(uniqueKey);
  return unique || debounce ? { unique, debounce } : undefined;
}

/** A job is kept at least as long as it has its key. */
function keptFor(
  retention: ResolvedRetention | undefined,
  periodMs: number | undefined,
): ResolvedRetention | undefined {
  if (periodMs === undefined) return retention;
  const { completed, cancelled, error } = retention ?? DEFAULT_RETENTION;
  const atLeast = (kept: number | 'forever') => (kept === 'forever' ? kept : Math.max(kept, periodMs));
  return { completed: atLeast(completed), cancelled, error: atLeast(error) };
}
