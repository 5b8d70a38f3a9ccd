/**
 * Parses JSON for storage. No code except `JSON.parse` touches the text. So every key, even `__proto__`, is an own
 * property and gets validated.
 *
 * @throws Error for invalid JSON, and for numbers that would change. It says why
 */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text, requireFinite);
    requireExactIntegers(text);
    return value;
  } catch (error) {
    throw new Error(explain(error), { cause: error });
  }
}

/** Refuses a number such as 1e999. It would become infinite, and then null when written as JSON. */
function requireFinite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new RangeError(`the number at '${key}' is too large`);
}

/** Matches a string or a number. Matching strings too skips the digits inside them. */
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Refuses an integer such as 12345678901234567890, which would be rounded. */
function requireExactIntegers(text: string): void {
  for (const [token] of text.matchAll(stringOrNumber)) {
    if (!/^-?\d{16,}$/.test(token) || BigInt(Number(token)) === BigInt(token)) continue;
    throw new RangeError(`the number ${token} is too large to be kept exactly, send it as a string`);
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return /call stack/.test(error.message) ? 'it is nested too deeply' : error.message;
}
