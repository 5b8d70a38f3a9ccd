import { inspect } from 'node:util';
import { ValidationError } from '../errors.js';

/** Fields of a line beside its message. Written as JSON, with errors as their texts. */
export type LogLineFields = Readonly<Record<string, unknown>>;

/** The arguments of a job's `log`, ready to be stored. */
export interface LoggedText {
  readonly message: string;
  /** The fields as JSON text, so that MongoDB cannot reinterpret them and their size is known. */
  readonly fields?: string;
}

/** Maximum length in UTF-16 code units. A hundred lines of this size, with fields, stay below half a megabyte. */
const MAX_TEXT_LENGTH = 1_000;

/** Maximum size of the fields as JSON. */
const MAX_FIELDS_BYTES = 1_024;

/**
 * Returns a line for a job's log. A message that is too long is cut and ends with an ellipsis.
 *
 * @throws ValidationError for fields that are not an object, cannot be written as JSON, or are too large
 */
export function toLoggedText(message: string, fields?: LogLineFields): LoggedText {
  const text = shortText(message);
  return fields === undefined ? { message: text } : { message: text, fields: toJson(fields) };
}

/** Returns a well-formed text of at most `maxLength` characters. A longer text is cut and ends with an ellipsis. */
export function shortText(value: unknown, maxLength = MAX_TEXT_LENGTH): string {
  const text = typeof value === 'string' ? value : inspect(value);
  if (text.length <= maxLength) return text.toWellFormed();
  const cut = text.slice(0, maxLength - 1);
  // Avoids cutting a surrogate pair.
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
