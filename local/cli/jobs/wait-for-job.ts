import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, path } from '../api/api.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { read } from '../output/output.js';
import { isSettled, jobShape, type ShownJob } from './job-shape.js';

/** The longest wait of one request, below the limit of any server or proxy on the way. */
const LONGEST_REQUEST_SECONDS = 20;

/** The number of failures in a row after which a deployment counts as gone. */
const MAX_FAILURES = 5;
const PAUSE_MS = 1000;

/**
 * Waits until a job is settled. Returns the job, and the raw answer of the API.
 *
 * @param timeoutMs undefined to wait without a limit
 * @throws CommandFailure when the time is up, or the job does not exist
 */
export async function waitForJob(
  api: Api,
  id: string,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<{ readonly job: ShownJob; readonly answer: unknown }> {
  const end = performance.now() + timeoutMs;
  for (let failures = 0; ; ) {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    try {
      const answer = await api.get(path`/v1/jobs/${id}`, { wait: Math.min(left, LONGEST_REQUEST_SECONDS) });
      const job = read(answer, jobShape);
      if (isSettled(job.status)) return { job, answer };
      if (left === 0) throw tooLate(job);
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!isTransient(error) || failures >= MAX_FAILURES || performance.now() >= end) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** Waits like `waitForJob`, for a job that this command added. A missing job has ended and been removed. */
export async function waitForAdded(api: Api, id: string, timeoutMs?: number): ReturnType<typeof waitForJob> {
  return waitForJob(api, id, timeoutMs).catch((error: unknown) => {
    throw error instanceof CommandFailure && error.exitCode === exitCode.notFound ? gone(id) : error;
  });
}

function gone(id: string): CommandFailure {
  const why = 'it ended and is not kept (its retention), or it was removed. How it ended is not known';
  return new CommandFailure(exitCode.notCompleted, `Job ${id} is gone: ${why}`, { code: 'gone' });
}

/** Makes the command fail unless the job completed. @throws CommandFailure */
export function requireCompleted({ id, status, errors }: ShownJob): void {
  if (status === 'completed') return;
  const reason = status === 'error' ? `: ${errors.at(-1)?.message ?? 'it does not say why'}` : '';
  throw new CommandFailure(exitCode.notCompleted, `Job ${id} ended as ${status}${reason}`, { code: status });
}

function tooLate({ id, status }: ShownJob): CommandFailure {
  return new CommandFailure(exitCode.notCompleted, `Job ${id} is still ${status}: the time to wait is up`, {
    code: 'not_settled',
  });
}

function isTransient(error: unknown): boolean {
  return (
    error instanceof CommandFailure &&
    error.exitCode === exitCode.unreachable &&
    error.code !== 'unexpected_answer'
  );
}
