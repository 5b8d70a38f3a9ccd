import * as z from 'zod';
import { validateNow } from '../validate.js';
import { compose, type Step } from './compose.js';
import type { NewJob } from './insert-job.js';
import { jobOverridesSchema } from './job-options.js';
import { metadataSchema } from './metadata.js';
import { type RetryDelay, retryDelaySchema } from './retry-delay.js';

/** A job that is about to be added. What is not `readonly` may be changed before `next`. */
export interface JobBeingAdded {
  readonly jobId: string;
  readonly jobName: string;
  /** Validated, and stored as it is. */
  readonly input: unknown;
  /** The id of the scheduler item that makes it; absent when none does. */
  readonly scheduler?: string;
  queue: string;
  priority: number;
  maxRetries: number;
  /** Null: the factory's function decides. */
  retryDelay: RetryDelay | null;
  /** Stored with the job, and there again when it runs: texts by names, 2 KB in all. */
  metadata: Record<string, string>;
}

/** Is called around adding each job: once before it is written, with its end after that. */
export type AddMiddleware = (job: JobBeingAdded, next: () => Promise<void>) => unknown;

/** A job that is being added, with middleware around it. */
export interface Addition {
  /** The job as it is to be written. Rejects when middleware refuses it. */
  readonly ready: Promise<NewJob>;
  /** Lets middleware go on after `next`: the job is there. */
  written(): void;
  /** Lets `next` reject: the job is not written. */
  refuse(error: unknown): void;
  /** Resolves when middleware has come to its end. Rejects when it throws though the job was written. */
  readonly end: Promise<void>;
}

/** Calls middleware, up to where the job is to be written. */
export function beginAddition(
  steps: readonly AddMiddleware[],
  job: NewJob,
  scheduler: string | undefined,
): Addition {
  const view = viewOf(job, scheduler);
  const written = deferred<void>();
  const ready = deferred<NewJob>();
  let isWritten = false;
  const around: readonly Step<JobBeingAdded, void>[] = steps;
  const all = compose(around, view, async () => {
    ready.resolve(asChanged(job, view));
    await written.promise;
  });
  all.catch(ready.reject);
  return {
    ready: ready.promise,
    written() {
      isWritten = true;
      written.resolve();
    },
    refuse: written.reject,
    end: all.catch((error: unknown) => {
      if (isWritten) throw error;
    }),
  };
}

function viewOf(
  { id, jobName, input, queue, priority, maxRetries, ...job }: NewJob,
  scheduler: string | undefined,
): JobBeingAdded {
  return {
    jobId: id,
    jobName,
    input,
    ...(scheduler !== undefined && { scheduler }),
    queue,
    priority,
    maxRetries,
    retryDelay: job.retryDelay,
    metadata: { ...job.metadata },
  };
}

const changesSchema = z.object({
  ...jobOverridesSchema.required().shape,
  retryDelay: retryDelaySchema.nullable(),
  metadata: metadataSchema,
});

/** @throws ValidationError for what middleware made that no job can have */
function asChanged(job: NewJob, view: JobBeingAdded): NewJob {
  const { metadata, ...changes } = validateNow(changesSchema, view, 'A job that middleware changed');
  return { ...job, ...changes, ...(Object.keys(metadata).length > 0 && { metadata }) };
}

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

/** Its rejection may come before anybody waits for it. */
function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<Value>((...settle) => {
    [resolve, reject] = settle;
  });
  promise.catch(() => {});
  return { promise, resolve: (value) => resolve(value), reject: (error) => reject(error) };
}
