import { inspect } from 'node:util';
import { ValidationError } from '../errors.js';

/** Fields beside the text of a line. Written as JSON, with errors as their texts. */
export type LogLineFields = Readonly<Record<string, unknown>>;

/** The arguments of a job's `log`, ready to be stored. */
export interface LoggedText {
  readonly message: string;
  /** JSON text, so that nothing in it can be misread, and its size is apparent. */
  readonly fields?: string;
}

/** Limit in UTF-16 code units. A hundred lines with such texts and fields stay below half a megabyte. */
const MAX_TEXT_LENGTH = 1_000;

/** Limit of fields as JSON. */
const MAX_FIELDS_BYTES = 1_024;

/**
 * Makes a line of a job's log. A text that is too long is cut and ends with an ellipsis.
 *
 * @throws ValidationError for fields that are no object, cannot be written as JSON, or are too large
 */
export function toLoggedText(message: string, fields?: LogLineFields): LoggedText {
  const text = shortText(message);
  return fields === undefined ? { message: text } : { message: text, fields: toJson(fields) };
}

/** Makes a text well-formed and at most 1,000 characters long. A longer text is cut and ends with an ellipsis. */
export function shortText(value: unknown): string {
  const text = typeof value === 'string' ? value : inspect(value);
  if (text.length <= MAX_TEXT_LENGTH) return text.toWellFormed();
  const cut = text.slice(0, MAX_TEXT_LENGTH - 1);
  // Avoids a cut in the middle of a character.
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
