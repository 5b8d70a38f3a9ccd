import * as z from 'zod';
import { validateNow } from '../validate.js';
import { compose, type Step } from './compose.js';
import type { NewJob } from './insert-job.js';
import { jobOverridesSchema } from './job-options.js';
import { metadataSchema } from './metadata.js';
import { type RetryDelay, retryDelaySchema } from './retry-delay.js';

/** A job about to be added. Middleware may change the fields that are not `readonly`, before it calls `next`. */
export interface JobBeingAdded {
  readonly jobId: string;
  readonly jobName: string;
  /** Validated input, stored as it is. */
  readonly input: unknown;
  /** Id of the scheduler item that makes the job. Absent for other jobs. */
  readonly scheduler?: string;
  queue: string;
  priority: number;
  maxRetries: number;
  /** Null if the factory's function decides after each attempt. */
  retryDelay: RetryDelay | null;
  /** Texts by name, at most 2 KB in all. Stored with the job and available when it runs. */
  metadata: Record<string, string>;
}

/** Middleware called around adding each job. `next` resolves once the job is written. */
export type AddMiddleware = (job: JobBeingAdded, next: () => Promise<void>) => unknown;

/** A job being added, together with the middleware around it. */
export interface Addition {
  /** Resolves with the job to write. Rejects if middleware refuses it. */
  readonly ready: Promise<NewJob>;
  /** Resolves `next`, because the job is stored, so that middleware continues. */
  written(): void;
  /** Makes `next` reject, because the job is not written. */
  refuse(error: unknown): void;
  /** Resolves once all middleware has ended. Rejects if middleware throws although the job was written. */
  readonly end: Promise<void>;
}

/** Calls middleware until it has called `next`, when the job is to be written. */
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

/** Applies the changes made by middleware. @throws ValidationError for values that no job can have */
function asChanged(job: NewJob, view: JobBeingAdded): NewJob {
  const { metadata, ...changes } = validateNow(changesSchema, view, 'A job that middleware changed');
  return { ...job, ...changes, ...(Object.keys(metadata).length > 0 && { metadata }) };
}

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

/** Creates a promise that may reject before it is awaited. */
function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<Value>((...settle) => {
    [resolve, reject] = settle;
  });
  promise.catch(() => {});
  return { promise, resolve: (value) => resolve(value), reject: (error) => reject(error) };
}
