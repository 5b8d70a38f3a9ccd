import { createHash } from 'node:crypto';
import { type AddRole, DEFAULT_ADD_ROLE } from '../access/role.js';
import { type CollectionDescription, text } from '../mongo/collection-description.js';
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
  /** Hash of all other fields. Registering writes only if it has changed. */
  readonly hash: string;
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
  const { input, defaults, addRole, version } = job;
  const keys = job.keys && toStoredRules(job.keys);
  const inputSchema = toJsonSchema(input);
  const inputOptional = mayBeMissing(input);
  const content = JSON.stringify([
    ...[name, inputSchema, inputOptional, defaults, addRole, version],
    ...(keys ? [keys] : []),
  ]);
  return {
    _id: name,
    inputSchema,
    inputOptional,
    defaults,
    ...(keys && { keys }),
    addRole,
    version,
    hash: createHash('sha256').update(content).digest('hex'),
  };
}

/** Returns the least role that may add jobs of this kind. */
export function addRoleOf({ addRole = DEFAULT_ADD_ROLE }: Pick<JobFactoryDocument, 'addRole'>): AddRole {
  return addRole;
}
