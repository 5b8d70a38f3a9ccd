import { AsyncLocalStorage } from 'node:async_hooks';

type OnRejection = (reason: unknown) => void;

/** Which attempt the code that runs belongs to. */
const attempts = new AsyncLocalStorage<OnRejection>();
let users = 0;

/**
 * Runs the function of a job; a promise that it leaves rejected and unhandled is reported to `onRejection` instead of
 * ending the process, and with it the jobs beside it. Works inside `withJobRejections`.
 */
export function catchingRejections<Result>(onRejection: OnRejection, run: () => Result): Result {
  return attempts.run(onRejection, run);
}

/**
 * While `work` runs, unhandled rejections of jobs are theirs alone; any other goes on to end the process, as it does by
 * default. Lambda's own listener is not affected: there an unhandled rejection still ends the container.
 */
export async function withJobRejections<Result>(work: () => Promise<Result>): Promise<Result> {
  users += 1;
  if (users === 1) process.on('unhandledRejection', onUnhandledRejection);
  try {
    return await work();
  } finally {
    users -= 1;
    if (users === 0) process.off('unhandledRejection', onUnhandledRejection);
  }
}

function onUnhandledRejection(reason: unknown): void {
  const onRejection = attempts.getStore();
  if (onRejection) onRejection(reason);
  // A listener has taken the place of the default, which is to throw. With others it is for them to decide.
  else if (process.listenerCount('unhandledRejection') === 1) throw reason;
}
