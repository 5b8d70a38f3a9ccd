/**
 * Parses JSON that is to be stored, by `JSON.parse` alone, so that every key stays an own property, `__proto__`
 * included, for the validation to see.
 *
 * @throws an Error that says why: also for numbers that would come back as others
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

/** JSON has no infinity: a number such as 1e999 would come back as null. */
function requireFinite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new RangeError(`the number at '${key}' is too large`);
}

/** A string, or a number: what looks like a number inside a string is passed over with it. */
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** An integer such as 12345678901234567890 would come back as another one. */
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
