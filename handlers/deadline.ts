import { isMainThread } from 'node:worker_threads';
import type { LambdaContext } from './lambda-context.js';

/**
 * Returns a function that tells when an invocation will be cut off.
 *
 * Lambda does not count the time that a container takes to start. serverless-offline counts the start of its thread,
 * but the context does not show that. So the age of the thread is subtracted there.
 */
export function deadlines(): (context: LambdaContext) => Date {
  let isFirst = !isMainThread;
  return (context) => {
    const uncountedMs = isFirst ? performance.now() - performance.nodeTiming.environment : 0;
    isFirst = false;
    return new Date(Date.now() + context.getRemainingTimeInMillis() - uncountedMs);
  };
}
