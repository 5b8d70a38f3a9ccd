import { inspect } from 'node:util';
import { isError } from '../is-error.js';

/** Stored form of the reason why an attempt failed. */
export interface Failure {
  readonly message: string;
  readonly stack?: string;
  /** The chain of causes, nearest first. Absent if there are none. */
  readonly causes?: readonly FailureCause[];
}

/** A cause of an error, direct or indirect. */
export interface FailureCause {
  /** Place of the cause on the thrown error: `cause`, `cause.cause`, `errors.0`, … */
  readonly path: string;
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/**
 * Limit of a message and of a stack. The top says most, and 20 failures of this size fit beside any input and output.
 */
const MAX_TEXT_BYTES = 8 * 1024;

/** Maximum number of causes, and how deep to look. Enough for an error that several libraries wrapped. */
const MAX_CAUSES = 10;
const MAX_DEPTH = 5;
const MAX_CAUSES_BYTES = 6 * 1024;
const MAX_CAUSE_TEXT_BYTES = 1024;

/**
 * Converts anything thrown to a storable failure. Never throws, although jobs throw symbols and errors with hostile
 * getters.
 */
export function toFailure(thrown: unknown): Failure {
  const { message, stack } = describe(thrown);
  const causes = causesOf(thrown);
  return {
    message: shorten(message, MAX_TEXT_BYTES),
    ...(stack !== undefined && { stack: shorten(stack, MAX_TEXT_BYTES) }),
    ...(causes.length > 0 && { causes }),
  };
}

/** Adds a remark directly after the failure's message, however long the message is. */
export function withRemark(failure: Failure, remark: string): Failure {
  const note = ` (${shorten(remark, MAX_CAUSE_TEXT_BYTES)})`;
  return { ...failure, message: shorten(failure.message, MAX_TEXT_BYTES - Buffer.byteLength(note)) + note };
}

/** Returns a readable text for any value. A long text is cut only when it is stored. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value);
}

interface Described {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

function describe(thrown: unknown): Described {
  try {
    if (!isError(thrown)) return { name: typeof thrown, message: toText(thrown) };
    const { message, stack } = thrown;
    const name = toText(thrown.name);
    const text = toText(message) || [name, codeOf(thrown)].join(' ').trim();
    return { name, message: text, ...(typeof stack === 'string' && { stack }) };
  } catch {
    return { name: 'unknown', message: 'It threw what cannot even be read.' };
  }
}

/** Returns an error's code in place of a missing message, as when a connection failed at each of several addresses. */
function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

interface Behind {
  readonly path: string;
  readonly thrown: unknown;
  readonly depth: number;
}

/** Returns the causes, nearest first, each only once. Causes may be circular or shared. */
function causesOf(thrown: unknown): FailureCause[] {
  const causes: FailureCause[] = [];
  const seen = new Set([thrown]);
  const waiting = behind({ path: '', thrown, depth: 0 });
  let bytesLeft = MAX_CAUSES_BYTES;
  for (let next = waiting.shift(); next && causes.length < MAX_CAUSES; next = waiting.shift()) {
    if (seen.has(next.thrown)) continue;
    seen.add(next.thrown);
    const cause = toCause(next, bytesLeft);
    bytesLeft -= sizeOf(cause);
    if (bytesLeft < 0) break;
    causes.push(cause);
    waiting.push(...behind(next));
  }
  return causes;
}

function toCause({ path, thrown }: Behind, bytesLeft: number): FailureCause {
  const { name, message, stack } = describe(thrown);
  const cause = { path, name: shorten(name, 100), message: shorten(message, MAX_CAUSE_TEXT_BYTES) };
  const stackBytes = Math.min(2 * MAX_CAUSE_TEXT_BYTES, bytesLeft - sizeOf(cause));
  return stack === undefined || stackBytes <= 0 ? cause : { ...cause, stack: shorten(stack, stackBytes) };
}

function sizeOf({ path, name, message, stack = '' }: FailureCause): number {
  return Buffer.byteLength(path + name + message + stack);
}

/** Returns the cause of an error, and the errors gathered by an `AggregateError`. */
function behind({ path, thrown, depth }: Behind): Behind[] {
  if (depth >= MAX_DEPTH) return [];
  const prefix = path === '' ? '' : `${path}.`;
  try {
    if (!isError(thrown)) return [];
    const { cause } = thrown;
    const errors: unknown = 'errors' in thrown ? thrown.errors : undefined;
    const gathered: unknown[] = Array.isArray(errors) ? errors.slice(0, MAX_CAUSES) : [];
    const found = gathered.map((error, index) => ({ path: `${prefix}errors.${index}`, thrown: error }));
    if (cause !== undefined && cause !== null) found.unshift({ path: `${prefix}cause`, thrown: cause });
    return found.map((each) => ({ ...each, depth: depth + 1 }));
  } catch {
    return []; // A getter or proxy that throws.
  }
}

/** Makes a text well-formed, and cuts it between two characters to at most `maxBytes` of UTF-8. */
function shorten(text: string, maxBytes: number): string {
  // A character takes at least a byte, so the rest of a far longer text need not be encoded.
  const bytes = Buffer.from(text.slice(0, maxBytes + 1));
  if (bytes.length <= maxBytes) return text.toWellFormed();
  // In stream mode the decoder omits a character whose end is missing.
  return new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: true });
}
