import type { Collection } from 'mongodb';
import type { AddRole } from '../access/role.js';
import { readPage } from '../mongo/read-page.js';
import { namePageSchema, type PageFilter, toCursorText } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { addRoleOf, type JobFactoryDocument } from './factory-document.js';
import type { JobDefaults } from './job-options.js';

/** The description of a kind of job, available wherever it is added. */
export interface JobFactoryInfo {
  readonly name: string;
  readonly defaults: JobDefaults;
  /** JSON Schema of the input, as text. Null if it has no such form, so only a process with the job's code can add it. */
  readonly inputSchema: string | null;
  /** Whether the input may be left out. */
  readonly inputOptional: boolean;
  /** The least role that may add its jobs. Code is always allowed. */
  readonly addRole: AddRole;
  /** Version of the stored definition. */
  readonly version: number;
}

/** A page of the kinds of jobs. */
export interface JobFactoryPage {
  readonly jobFactories: JobFactoryInfo[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/** Returns a page of the stored factories, sorted by name. See `Factories.list`. @throws ValidationError */
export async function listJobFactories(
  jobFactories: Collection<JobFactoryDocument>,
  filter: PageFilter = {},
): Promise<JobFactoryPage> {
  const { limit, maxBytes, cursor = '' } = validateNow(namePageSchema, filter, 'Filter of job factories');
  const size = { limit: limit + 1, batchSize: limit + 1 };
  const found = jobFactories.find({ _id: { $gt: cursor } }, { sort: { _id: 1 }, ...size });
  const { documents, hasMore } = await readPage(found, { limit, maxBytes });
  const last = documents.at(-1);
  return {
    jobFactories: documents.map(toInfo),
    cursor: hasMore && last ? toCursorText(last._id) : undefined,
  };
}

/** Returns the stored factories with these names. */
export function findJobFactories(
  jobFactories: Collection<JobFactoryDocument>,
  names: readonly string[],
): Promise<JobFactoryDocument[]> {
  return jobFactories.find({ _id: { $in: [...names] } }, { sort: { _id: 1 } }).toArray();
}

/** More than anybody chooses from. */
const MAX_NAMES = 1000;

/** Returns the names of the first 1000 stored factories. */
export async function findJobFactoryNames(jobFactories: Collection<JobFactoryDocument>): Promise<string[]> {
  const named = { sort: { _id: 1 }, limit: MAX_NAMES, projection: { _id: 1 } } as const;
  const found = await jobFactories.find({ _id: { $gt: '' } }, named).toArray();
  return found.map(({ _id }) => _id);
}

/** Converts a document to the API's form. */
export function toInfo({ _id: name, hash: _, version = 0, ...info }: JobFactoryDocument): JobFactoryInfo {
  return { name, ...info, addRole: addRoleOf(info), version };
}
