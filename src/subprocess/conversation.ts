import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { SubprocessContext } from '../job/job-context.js';
import type { LoggedText } from '../job/log-line.js';
import type { Crossing } from './crossing.js';
import type { Ending, FromThread, ToThread } from './messages.js';
import { reviveCrossing } from './revive-crossing.js';
import { serializeError } from './serialized-error.js';

/**
 * Handles the worker's end of a task's port. Answers progress, passes on log lines, and resolves with the task's
 * ending. Never resolves if the thread dies, which the pool reports.
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
        case 'log':
          return passOn(context, message.line);
        default:
          return resolve(message);
      }
    });
  });
}

/** Handles messages that a dead thread sent but nobody has received. They may show why it died. */
export function hearLastWords(port: MessagePort, context: SubprocessContext): void {
  for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
    const message: FromThread = last.message;
    if (message.kind === 'log') passOn(context, message.line);
    if (message.kind === 'progress') context.progress(reviveCrossing(message.value)).catch(() => {});
  }
}

function passOn(context: SubprocessContext, { message, fields }: LoggedText): void {
  context.log(message, fields === undefined ? undefined : JSON.parse(fields));
}

/**
 * Tells the thread once the signal fires. Then calls `kill` after a grace period, unless the returned function is
 * called first.
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
  { id, value }: { readonly id: number; readonly value: Crossing },
): Promise<void> {
  try {
    await context.progress(reviveCrossing(value));
    post(port, { kind: 'progressed', id });
  } catch (error) {
    post(port, { kind: 'progressed', id, error: serializeError(error) });
  }
}

function post(port: MessagePort, message: ToThread): void {
  port.postMessage(message);
}
