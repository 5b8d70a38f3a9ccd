import type { MessagePort } from 'node:worker_threads';
import type { LoggedText } from '../job/log-line.js';
import type { Crossing } from './crossing.js';
import type { SerializedError } from './serialized-error.js';

/** A task for a thread of the pool. */
export interface Task {
  /** URL of the module whose default export is run. */
  readonly module: string;
  readonly input: unknown;
  /** Port for all further messages, in both directions and in order. */
  readonly port: MessagePort;
}

/** A message from the thread: it has begun, it reports something, or it tells its ending. */
export type FromThread =
  | { readonly kind: 'started' }
  | { readonly kind: 'progress'; readonly id: number; readonly value: Crossing }
  | { readonly kind: 'log'; readonly line: LoggedText }
  | Ending;

/** The ending of a task whose thread survived. */
export type Ending =
  | { readonly kind: 'returned'; readonly output: Crossing }
  /** The task returned a value that cannot be sent. */
  | { readonly kind: 'unsendable'; readonly reason: string }
  | { readonly kind: 'threw'; readonly error: SerializedError }
  /** The task threw its signal's reason. */
  | { readonly kind: 'aborted' };

export type ToThread =
  | { readonly kind: 'abort'; readonly reason: SerializedError }
  /** The answer to `progress`. Without an error, the progress was stored. */
  | { readonly kind: 'progressed'; readonly id: number; readonly error?: SerializedError };
