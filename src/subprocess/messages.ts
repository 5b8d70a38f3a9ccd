import type { MessagePort } from 'node:worker_threads';
import type { LoggedText } from '../job/log-line.js';
import type { Crossing } from './crossing.js';
import type { SerializedError } from './serialized-error.js';

/** What a thread of the pool is asked to do. */
export interface Task {
  /** URL of the module whose default export is run. */
  readonly module: string;
  readonly input: unknown;
  /** Carries everything else, in both directions and in order. */
  readonly port: MessagePort;
}

/** From the thread: that it began, what it reports, and last of all how it ended. */
export type FromThread =
  | { readonly kind: 'started' }
  | { readonly kind: 'progress'; readonly id: number; readonly value: Crossing }
  | { readonly kind: 'log'; readonly line: LoggedText }
  | Ending;

/** How a task ended, if its thread lived to tell. */
export type Ending =
  | { readonly kind: 'returned'; readonly output: Crossing }
  /** It returned what cannot be sent. */
  | { readonly kind: 'unsendable'; readonly reason: string }
  | { readonly kind: 'threw'; readonly error: SerializedError }
  /** It threw its signal's reason. */
  | { readonly kind: 'aborted' };

/** To the thread. */
export type ToThread =
  | { readonly kind: 'abort'; readonly reason: SerializedError }
  /** The answer to `progress`: it was stored, unless there is an error. */
  | { readonly kind: 'progressed'; readonly id: number; readonly error?: SerializedError };
