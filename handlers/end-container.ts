import { isMainThread } from 'node:worker_threads';

/**
 * Ends this process, and the invocation with it. Lambda counts that as an error of the function, and starts the next
 * invocation in a new container. Does nothing in a thread: serverless-offline runs handlers in threads, which it
 * neither freezes nor replaces.
 */
export function endContainer(): void {
  if (isMainThread) process.exit(1);
}
