/**
 * Parses JSON that is to be stored. `JSON.parse` alone parses it, so that every key, including `__proto__`, stays an own
 * property for the validation to see.
 *
 * @throws Error that says why, also for numbers that would come back as others
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

/** Refuses a number such as 1e999, since JSON has no infinity and it would come back as null. */
function requireFinite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new RangeError(`the number at '${key}' is too large`);
}

/** Matches a string or a number. Digits inside a string are skipped with the string. */
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Refuses an integer such as 12345678901234567890, which would come back as another one. */
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
