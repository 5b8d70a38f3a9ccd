import { inspect } from 'node:util';
import { ValidationError } from '../errors.js';

/** The fields beside the text of a line. They are written as JSON, and errors in them as their texts. */
export type LogLineFields = Readonly<Record<string, unknown>>;

/** The arguments of a job's `log`, ready to be stored. */
export interface LoggedText {
  readonly message: string;
  /** As JSON: so nothing in it can be taken for something else, and its size is what it looks like. */
  readonly fields?: string;
}

/** In UTF-16 code units. A hundred lines of such texts and fields stay below half a megabyte. */
const MAX_TEXT_LENGTH = 1_000;

/** The limit of fields as JSON. */
const MAX_FIELDS_BYTES = 1_024;

/**
 * One line of a job's log. A text that is too long is cut, and ends with an ellipsis.
 *
 * @throws ValidationError for fields that are no object, cannot be written as JSON, or are too large
 */
export function toLoggedText(message: string, fields?: LogLineFields): LoggedText {
  const text = shortText(message);
  return fields === undefined ? { message: text } : { message: text, fields: toJson(fields) };
}

/** Well-formed, and at most 1,000 characters: what is longer is cut, and ends with an ellipsis. */
export function shortText(value: unknown): string {
  const text = typeof value === 'string' ? value : inspect(value);
  if (text.length <= MAX_TEXT_LENGTH) return text.toWellFormed();
  const cut = text.slice(0, MAX_TEXT_LENGTH - 1);
  // Not in the middle of a character.
  const whole = /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
  return `${whole}…`.toWellFormed();
}

function toJson(fields: LogLineFields): string {
  const text = stringify(fields);
  if (!text?.startsWith('{')) throw refuse(`expected an object, not ${inspect(fields, { depth: 0 })}`);
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_FIELDS_BYTES) return text;
  throw refuse(`expected at most ${MAX_FIELDS_BYTES} bytes as JSON, not ${bytes}`);
}

function stringify(fields: LogLineFields): string | undefined {
  try {
    return JSON.stringify(fields, (_, value) => (value instanceof Error ? String(value) : value));
  } catch (error) {
    throw refuse(`expected what can be written as JSON: ${shortText(String(error))}`);
  }
}

function refuse(message: string): ValidationError {
  return new ValidationError('A log line', [{ path: 'fields', message: shortText(message) }]);
}
