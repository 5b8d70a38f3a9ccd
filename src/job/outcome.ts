import { inspect } from 'node:util';
import type { Report } from './report.js';

/** How an attempt ended. What follows from it (retry, `error`, `cancelled`) is decided by the document: end-attempt.ts. */
export type Outcome =
  | { readonly kind: 'completed'; readonly output: unknown }
  /** `retryAfterMs`: until the next attempt, if there is one; null when there must be none. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retryAfterMs: number | null }
  /** Put off by the job itself. */
  | { readonly kind: 'snoozed'; readonly delayMs: number }
  /** Unfinished when its worker had to stop. `atDeadline`: because the invocation's time was up. */
  | { readonly kind: 'givenBack'; readonly atDeadline: boolean };

/** An error in the form it is stored in. */
export interface Failure {
  readonly message: string;
  readonly stack?: string;
}

/** The outcome of one attempt, and the lease it belongs to. */
export interface Settlement {
  readonly id: string;
  readonly token: string;
  readonly outcome: Outcome;
  /** What the attempt told, and is not known to be stored. */
  readonly report?: Report;
}

/** Of a message, and of a stack: the top of it tells most, and 20 of both fit beside any input and output. */
const MAX_TEXT_BYTES = 8 * 1024;

/** Whatever was thrown, as a storable failure. Never throws: jobs throw symbols, and errors with hostile getters. */
export function toFailure(thrown: unknown): Failure {
  try {
    if (!(thrown instanceof Error)) return { message: shorten(toText(thrown)) };
    const { message, stack } = thrown;
    return { message: shorten(toText(message)), ...(typeof stack === 'string' && { stack: shorten(stack) }) };
  } catch {
    return { message: 'It threw what cannot even be read.' };
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value);
}

/** Cut to MAX_TEXT_BYTES of UTF-8, between two characters. */
function shorten(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_TEXT_BYTES) return text;
  // In stream mode the decoder leaves out a character whose end is missing.
  return new TextDecoder().decode(bytes.subarray(0, MAX_TEXT_BYTES), { stream: true });
}
