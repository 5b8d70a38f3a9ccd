import { AsyncLocalStorage } from 'node:async_hooks';

type OnRejection = (reason: unknown) => void;

/** Which attempt the code that runs belongs to. */
const attempts = new AsyncLocalStorage<OnRejection>();
let users = 0;
/** Who listened before the first of them. */
let others: NodeJS.UnhandledRejectionListener[] = [];

/**
 * Runs the function of a job; a promise that it leaves rejected and unhandled is reported to `onRejection` instead of
 * ending the process, and with it the jobs beside it. Works inside `withJobRejections`.
 */
export function catchingRejections<Result>(onRejection: OnRejection, run: () => Result): Result {
  return attempts.run(onRejection, run);
}

/**
 * While `work` runs, unhandled rejections of jobs are theirs alone; any other goes on to whoever listened before, or ends
 * the process, as it does by default.
 *
 * Those who listened are taken off meanwhile, since an event cannot be kept from them: Lambda's own listener ends the
 * container, and with it the jobs beside the one that left the rejection.
 */
export async function withJobRejections<Result>(work: () => Promise<Result>): Promise<Result> {
  users += 1;
  if (users === 1) takeOver();
  try {
    return await work();
  } finally {
    users -= 1;
    if (users === 0) handBack();
  }
}

function takeOver(): void {
  others = process.listeners('unhandledRejection');
  for (const listener of others) process.off('unhandledRejection', listener);
  process.on('unhandledRejection', onUnhandledRejection);
}

function handBack(): void {
  process.off('unhandledRejection', onUnhandledRejection);
  for (const listener of others) process.on('unhandledRejection', listener);
}

function onUnhandledRejection(reason: unknown, promise: Promise<unknown>): void {
  const onRejection = attempts.getStore();
  if (onRejection) onRejection(reason);
  else tellOthers(reason, promise);
}

function tellOthers(reason: unknown, promise: Promise<unknown>): void {
  for (const listener of others) listener.call(process, reason, promise);
  // A listener has taken the place of the default, which is to throw. With others it is for them to decide.
  if (others.length === 0 && process.listenerCount('unhandledRejection') === 1) throw reason;
}
