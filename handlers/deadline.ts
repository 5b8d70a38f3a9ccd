import { isMainThread } from 'node:worker_threads';
import type { LambdaContext } from './lambda-context.js';

/**
 * Returns a function that returns when an invocation will be cut off.
 *
 * Lambda starts a container before it begins to count. serverless-offline starts a thread for the first invocation and
 * counts that too, but the context does not show it. So the age of the thread is subtracted there.
 */
export function deadlines(): (context: LambdaContext) => Date {
  let isFirst = !isMainThread;
  return (context) => {
    const uncountedMs = isFirst ? performance.now() - performance.nodeTiming.environment : 0;
    isFirst = false;
    return new Date(Date.now() + context.getRemainingTimeInMillis() - uncountedMs);
  };
}
