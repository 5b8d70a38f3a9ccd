import { createHash } from 'node:crypto';
import { type AddRole, DEFAULT_ADD_ROLE } from '../access/role.js';
import { ValidationError } from '../errors.js';
import { type CollectionDescription, text } from '../mongo/collection-description.js';
import { type JobLimit, limitsOf, type OrderingRule, orderLimit } from './flow-rules.js';
import { toJsonSchema } from './input-schema.js';
import type { JobContract } from './job-contract.js';
import type { JobDefaults } from './job-options.js';
import { mayBeMissing } from './schema.js';
import { toStoredRules, type UniqueRules } from './unique-rules.js';

/** Document of the collection `jobFactories`. Contains what a producer without the job's code needs to add the job. */
export interface JobFactoryDocument {
  /** Name that jobs are added by. */
  readonly _id: string;
  /** JSON Schema of the input, as text. See `toJsonSchema`. */
  readonly inputSchema: string | null;
  /** Whether the input may be left out, which JSON Schema cannot express. */
  readonly inputOptional: boolean;
  readonly defaults: JobDefaults;
  /** The unique keys of its jobs. Absent if they have none by default. */
  readonly keys?: UniqueRules;
  /** Absent in documents of earlier versions of this package. See `addRoleOf`. */
  readonly addRole?: AddRole;
  /** Version of the definition. Absent in documents of earlier versions of this package, which any version replaces. */
  readonly version?: number;
  /** Strict order of its jobs. Absent if they have none. */
  readonly ordering?: StoredOrdering;
  /** See `JobContract.searchable`. */
  readonly searchable?: readonly string[];
  /** See `JobContract.redact`. */
  readonly redact?: readonly string[];
  /** Hash of all other fields. Registering writes only if it has changed. */
  readonly hash: string;
}

/** A strict order, as far as a producer without the code needs to know it. */
export interface StoredOrdering {
  readonly name: string;
  /** Path of the key into the input. Absent for one order of all jobs, and null if the key is a function. */
  readonly key?: string | null;
  readonly stops: boolean;
}

export const jobFactoriesCollection: CollectionDescription = {
  name: 'jobFactories',
  ours: { _id: text, hash: text },
  indexes: [],
  formerIndexes: [],
};

/**
 * Returns the document that describes a job definition registered as `name`. The same for a contract and the job made
 * from it.
 */
export function toFactoryDocument(name: string, job: JobContract): JobFactoryDocument {
  const { input, defaults, addRole, version, flow, searchable, redact } = job;
  const keys = job.keys && toStoredRules(job.keys);
  const ordering = flow?.ordering && toStoredOrdering(flow.ordering);
  const inputSchema = toJsonSchema(input);
  const inputOptional = mayBeMissing(input);
  const content = JSON.stringify([
    ...[name, inputSchema, inputOptional, defaults, addRole, version],
    ...(keys ? [keys] : []),
    ...(ordering ? [ordering] : []),
    ...(searchable ? [{ searchable }] : []),
    ...(redact ? [{ redact }] : []),
  ]);
  return {
    _id: name,
    inputSchema,
    inputOptional,
    defaults,
    ...(keys && { keys }),
    addRole,
    version,
    ...(ordering && { ordering }),
    ...(searchable && { searchable }),
    ...(redact && { redact }),
    hash: createHash('sha256').update(content).digest('hex'),
  };
}

function toStoredOrdering({ name, key, stops }: OrderingRule): StoredOrdering {
  return { name, stops, ...(key !== undefined && { key: typeof key === 'string' ? key : null }) };
}

/**
 * Returns the line of a new job in its strict order, for a producer without the job's code.
 *
 * @throws ValidationError if the input has no key, or only the code can tell it
 */
export function storedOrderLimit(
  jobName: string,
  { name, key, stops }: StoredOrdering,
  input: unknown,
): JobLimit {
  if (key === null)
    throw new ValidationError(`The order of job '${jobName}'`, [
      { path: 'ordering.key', message: NEEDS_CODE },
    ]);
  const ordering = { name, stops, ...(key !== undefined && { key }) };
  const [limit] = limitsOf(jobName, { concurrency: [], ordering }, input).limits;
  return limit ?? orderLimit(name, ordering);
}

const NEEDS_CODE =
  "it is a function, which is not known here: make it a path into the input such as 'order.id', or add the job where its code is registered";

/** Returns the least role that may add jobs of this kind. */
export function addRoleOf({ addRole = DEFAULT_ADD_ROLE }: Pick<JobFactoryDocument, 'addRole'>): AddRole {
  return addRole;
}
