import type { MessagePort } from 'node:worker_threads';
import { toFailure } from '../job/failure.js';
import type { SubprocessContext } from '../job/job-context.js';
import { toLoggedText } from '../job/log-line.js';
import { type ProgressArguments, toProgressValue } from '../job/progress.js';
import { toCrossing } from './crossing.js';
import type { Ending, FromThread, Task, ToThread } from './messages.js';
import { reviveError, serializeError, textOnly } from './serialized-error.js';
import { SubprocessError } from './subprocess-error.js';

/**
 * Runs a task in a thread of the pool. This file is a build entry of its own. Never throws, since it sends the ending as a
 * message.
 */
export default async function runTask({ module, input, port }: Task): Promise<void> {
  post(port, { kind: 'started' });
  const { signal, progress, log } = contextOf(port);
  try {
    const run = await load(module);
    signal.throwIfAborted();
    const output = await run({ input, signal, progress, log });
    postOr(port, returned(output), (error) => ({ kind: 'unsendable', reason: toFailure(error).message }));
  } catch (error) {
    postOr(port, endingOf(error, signal), () => ({ kind: 'threw', error: textOnly(error) }));
  } finally {
    port.close();
  }
}

function returned(value: unknown): Ending {
  const output = toCrossing(value);
  return output ? { kind: 'returned', output } : { kind: 'unsendable', reason: 'it has too many values' };
}

function endingOf(error: unknown, { aborted, reason }: AbortSignal): Ending {
  return aborted && error === reason ? { kind: 'aborted' } : { kind: 'threw', error: serializeError(error) };
}

/** Returns a context for the task. The worker's messages drive its signal. Its functions post to the worker. */
function contextOf(port: MessagePort): Omit<SubprocessContext, 'input'> {
  const controller = new AbortController();
  const waiting = new Map<number, { resolve(): void; reject(error: unknown): void }>();
  let reports = 0;

  port.on('message', (message: ToThread) => {
    if (message.kind === 'abort') return controller.abort(reviveError(message.reason));
    const { resolve, reject } = waiting.get(message.id) ?? nobody;
    waiting.delete(message.id);
    message.error ? reject(reviveError(message.error)) : resolve();
  });

  return {
    signal: controller.signal,
    progress: async (...args: ProgressArguments) => {
      const value = toProgressValue(...args);
      await new Promise<void>((resolve, reject) => {
        const id = reports++;
        const crossing = toCrossing(value);
        if (!crossing) return reject(new TypeError('Progress has too many values.'));
        post(port, { kind: 'progress', id, value: crossing });
        waiting.set(id, { resolve, reject });
      });
    },
    log: (message, fields) => post(port, { kind: 'log', line: toLoggedText(message, fields) }),
  };
}

const nobody = { resolve: () => {}, reject: () => {} };

type Run = (context: SubprocessContext) => unknown;

async function load(module: string): Promise<Run> {
  const { default: run } = await importModule(module);
  if (!isRun(run))
    throw new SubprocessError(module, `expected a function as its default export, got ${typeof run}`);
  return run;
}

async function importModule(module: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(module);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new SubprocessError(module, `it could not be loaded: ${message}`, { cause });
  }
}

function isRun(value: unknown): value is Run {
  return typeof value === 'function';
}

/** Posts an ending. If it cannot be cloned, posts the ending that `otherwise` returns. */
function postOr(port: MessagePort, ending: Ending, otherwise: (error: unknown) => Ending): void {
  try {
    post(port, ending);
  } catch (error) {
    post(port, otherwise(error));
  }
}

function post(port: MessagePort, message: FromThread): void {
  port.postMessage(message);
}
