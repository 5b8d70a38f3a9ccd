import type { ClientSession } from 'mongodb';
import { ValidationError } from '../errors.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { validateNow } from '../validate.js';
import type { NewJob, PutInLine } from './insert-job.js';
import type { JobContract } from './job-contract.js';
import { type AddJobOptions, addJobOptionsSchema } from './job-options.js';
import type { JobCollections } from './jobs-collection.js';
import { type JobRegistry, nameOf } from './registry.js';
import { requireUniqueKeys } from './require-unique-index.js';
import { orderIssues, toNewJob } from './to-new-job.js';
import { type AddedJob, writeJob } from './write-job.js';

/** Subject of errors about the options of a job. */
export const ADD_JOB = 'The call of addJob';

/** A job that was added. */
export interface Added {
  readonly added: AddedJob;
  readonly job: NewJob;
  /** When to stop waiting and retrying for the caller, by `performance.now()`. */
  readonly giveUpAt: number;
  /** Keys of the limits in which replaced jobs held places. */
  readonly lost: ReadonlySet<string>;
}

/**
 * Adds a job, after checking everything before the first write. See `Jobs.add`.
 *
 * @param withInput whether to tell if a job that is kept has another input
 */
export async function addJob(
  collections: JobCollections,
  registry: JobRegistry,
  putInLine: PutInLine,
  kind: string | JobContract,
  input: unknown,
  options: AddJobOptions = {},
  withInput = false,
): Promise<Added> {
  const { session, callerRole, patience, ...valid } = validateNow(addJobOptionsSchema, options, ADD_JOB);
  const giveUpAt = performance.now() + patience;
  const despiteFailures = retrying(giveUpAt, session);
  const addable = await despiteFailures(() => registry.find(kind, callerRole));
  const job = await toNewJob(addable, nameOf(kind), input, valid);
  const issues = orderIssues(job, valid);
  if (issues.length > 0) throw new ValidationError(ADD_JOB, issues);
  return registry.middlewares.adding([job], giveUpAt, async (ready) => {
    const [changed = job] = await despiteFailures(() => putInLine(ready, session));
    const lost = new Set<string>();
    let tries = 0;
    const write = async () => {
      tries += 1;
      if (job.uniqueKey !== undefined) await requireUniqueKeys(collections);
      return writeJob(collections.jobs, changed, { session, withInput, lost });
    };
    const added = await despiteFailures(write);
    return { added: tries === 1 ? added : asWrittenBefore(added, changed), job: changed, giveUpAt, lost };
  });
}

/**
 * Returns the result for a job found under its own id: it counts as added. An earlier try wrote it, though that try seemed
 * to fail.
 */
export function asWrittenBefore(added: AddedJob, { id }: NewJob): AddedJob {
  return added.id === id ? { id, outcome: 'added', inputDiffers: false } : added;
}

/**
 * Returns a function that repeats failed calls. The driver's own retry does not suffice during an election, or if a second
 * connection is dead. A repeated write recognizes the jobs of an earlier try by their ids. In the caller's transaction,
 * nothing is repeated. A failure ends the transaction, and `withTransaction` begins a new one.
 *
 * @param giveUpAt when to stop, by `performance.now()`
 */
export function retrying(giveUpAt: number, session: ClientSession | undefined) {
  return <Result>(ask: () => Promise<Result>): Promise<Result> =>
    session ? ask() : retryWhileUnreachable(giveUpAt - performance.now(), ask);
}
