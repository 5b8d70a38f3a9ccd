import type { Collection } from 'mongodb';
import type { AddRole } from '../access/role.js';
import { readPage } from '../mongo/read-page.js';
import { namePageSchema, type PageFilter, toCursorText } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { addRoleOf, type JobFactoryDocument } from './factory-document.js';
import type { JobDefaults } from './job-options.js';

/** The stored description of a kind of job, which any process can read. */
export interface JobFactoryInfo {
  readonly name: string;
  readonly defaults: JobDefaults;
  /**
   * JSON Schema of the input, as text. Null if it cannot be written, so that only a process with the code can add such
   * jobs.
   */
  readonly inputSchema: string | null;
  /** Whether the input may be left out. */
  readonly inputOptional: boolean;
  /** The least role that may add its jobs. Code is always allowed. */
  readonly addRole: AddRole;
  /** Paths into the input by whose values its jobs can be found. */
  readonly searchable: readonly string[];
  /** Paths into the input whose values only code and the role `admin` see. */
  readonly redact: readonly string[];
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

/** Maximum number of names. Nobody chooses from more. */
const MAX_NAMES = 1000;

/** Returns the names of the first 1000 stored factories. */
export async function findJobFactoryNames(jobFactories: Collection<JobFactoryDocument>): Promise<string[]> {
  const named = { sort: { _id: 1 }, limit: MAX_NAMES, projection: { _id: 1 } } as const;
  const found = await jobFactories.find({ _id: { $gt: '' } }, named).toArray();
  return found.map(({ _id }) => _id);
}

/** Converts a document to the API's form. */
export function toInfo({ _id: name, hash: _, ...info }: JobFactoryDocument): JobFactoryInfo {
  const { version = 0, searchable = [], redact = [] } = info;
  return { name, ...info, addRole: addRoleOf(info), searchable, redact, version };
}
