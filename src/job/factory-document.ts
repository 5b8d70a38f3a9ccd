import { createHash } from 'node:crypto';
import { type AddRole, DEFAULT_ADD_ROLE } from '../access/role.js';
import { type CollectionDescription, text } from '../mongo/collection-description.js';
import { toJsonSchema } from './input-schema.js';
import type { JobContract } from './job-contract.js';
import type { JobDefaults } from './job-options.js';
import { mayBeMissing } from './schema.js';

/** A document of the collection `jobFactories`. It has what a producer without the job's code needs to add the job. */
export interface JobFactoryDocument {
  /** The name that jobs are added by. */
  readonly _id: string;
  /** JSON Schema of the input, as text: see `toJsonSchema`. */
  readonly inputSchema: string | null;
  /** Whether the input may be left out, which JSON Schema cannot say. */
  readonly inputOptional: boolean;
  readonly defaults: JobDefaults;
  /** Absent in documents of earlier versions of this package: see `addRoleOf`. */
  readonly addRole?: AddRole;
  /** The version of the definition. Absent in documents of earlier versions of this package, which any replaces. */
  readonly version?: number;
  /** A hash of all the above. Registering writes only when it is new. */
  readonly hash: string;
}

export const jobFactoriesCollection: CollectionDescription = {
  name: 'jobFactories',
  ours: { _id: text, hash: text },
  indexes: [],
  formerIndexes: [],
};

/** The document that stands for a kind of job under a name: the same for a contract and for the job that is made of it. */
export function toFactoryDocument(name: string, job: JobContract): JobFactoryDocument {
  const { input, defaults, addRole, version } = job;
  const inputSchema = toJsonSchema(input);
  const inputOptional = mayBeMissing(input);
  const content = JSON.stringify([name, inputSchema, inputOptional, defaults, addRole, version]);
  return {
    _id: name,
    inputSchema,
    inputOptional,
    defaults,
    addRole,
    version,
    hash: createHash('sha256').update(content).digest('hex'),
  };
}

/** Returns the least role of a caller who may add the factory's jobs. */
export function addRoleOf({ addRole = DEFAULT_ADD_ROLE }: Pick<JobFactoryDocument, 'addRole'>): AddRole {
  return addRole;
}
