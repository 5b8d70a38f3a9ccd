import type { MessagePort } from 'node:worker_threads';
import type { SubprocessContext } from '../job/define-job.js';
import type { Ending, FromThread, ToThread } from './messages.js';
import { serializeError } from './serialized-error.js';

/**
 * The worker's end of a task's port: answers progress, and resolves with how the task ended. If its thread dies it
 * never does: the pool tells that.
 */
export function converse(
  port: MessagePort,
  context: SubprocessContext,
  onStarted: () => void,
): Promise<Ending> {
  return new Promise((resolve) => {
    port.on('message', (message: FromThread) => {
      switch (message.kind) {
        case 'started':
          return onStarted();
        case 'progress':
          return answerProgress(port, context, message);
        default:
          return resolve(message);
      }
    });
  });
}

/**
 * Tells the thread once the signal fires, and calls `kill` unless the returned function is called within the grace.
 */
export function forwardAbort(
  signal: AbortSignal,
  port: MessagePort,
  graceMs: number,
  kill: () => void,
): () => void {
  let grace: NodeJS.Timeout | undefined;
  const tell = () => {
    post(port, { kind: 'abort', reason: serializeError(signal.reason) });
    grace = setTimeout(kill, graceMs);
  };
  signal.addEventListener('abort', tell, { once: true });
  return () => {
    signal.removeEventListener('abort', tell);
    clearTimeout(grace);
  };
}

async function answerProgress(
  port: MessagePort,
  context: SubprocessContext,
  { id, value }: { readonly id: number; readonly value: unknown },
): Promise<void> {
  try {
    await context.progress(value);
    post(port, { kind: 'progressed', id });
  } catch (error) {
    post(port, { kind: 'progressed', id, error: serializeError(error) });
  }
}

function post(port: MessagePort, message: ToThread): void {
  port.postMessage(message);
}
