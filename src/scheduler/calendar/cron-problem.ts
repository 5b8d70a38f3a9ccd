import { isTimeZone } from '../time-zone.js';
import { parse, patternOfExpression } from './cron-expression.js';
import { nextOccurrence } from './next-occurrence.js';

/**
 * Explains to the author of a cron expression why it is wrong: it names the field and what was expected, or says that the
 * expression is never due. Returns undefined for a valid one: 5 fields, 6 fields with the second first, or a name such as
 * `@daily`. EventBridge's six fields, with the year last, are recognized by their `?`.
 */
export function cronProblem(cron: string, timeZone: string): string | undefined {
  const text = cron.trim();
  if (text.length > MAX_LENGTH) return `expected at most ${MAX_LENGTH} characters, not ${text.length}`;
  if (!isTimeZone(timeZone)) return `'${timeZone}' is no IANA time zone such as Europe/Zurich`;
  if (text.startsWith('@')) return problemOfName(text);
  const fields = text.split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) return wrongCount(text === '' ? 0 : fields.length);
  return problemOfFields(fields) ?? (isDueSometime(text, timeZone) ? undefined : NEVER_DUE);
}

/**
 * Maximum length of an expression. cron-parser accepts a little more, but each field is also checked with added `*`
 * fields.
 */
const MAX_LENGTH = 1000;

const NEVER_DUE = 'it would never be due: none of its months has such a day';

function problemOfName(name: string): string | undefined {
  if (reasonAgainst(name) === undefined) return undefined;
  return `'${name}' is not known: expected ${NAMES}, or 5 or 6 fields`;
}

const NAMES =
  '@yearly, @annually, @monthly, @weekly, @weekdays, @weekends, @daily, @midnight, @hourly, @minutely, @secondly';

function wrongCount(count: number): string {
  const expected = `expected 5 fields (minute, hour, day of month, month, day of week), or 6 with the second first, not ${count}`;
  return count > SIX_FIELDS.length ? `${expected}; years are not understood` : expected;
}

const SIX_FIELDS = [
  { name: 'second', expected: '0 to 59' },
  { name: 'minute', expected: '0 to 59' },
  { name: 'hour', expected: '0 to 23' },
  { name: 'day of month', expected: '1 to 31, ?, or L for the last day' },
  { name: 'month', expected: '1 to 12, or JAN to DEC' },
  {
    name: 'day of week',
    expected: '0 to 7 or SUN to SAT (0 and 7 are Sunday), ?, 5L for the last Friday, 5#3 for the third',
  },
] as const;

/** Returns the problem of the first field that fails while all others are `*`. */
function problemOfFields(texts: readonly string[]): string | undefined {
  const missing = SIX_FIELDS.length - texts.length;
  for (const [position, { name, expected }] of SIX_FIELDS.entries()) {
    const text = texts[position - missing];
    if (text === undefined) continue;
    const alone = SIX_FIELDS.map((field) => (field.name === name ? text : '*')).join(' ');
    const reason = reasonAgainstAnyDay(name, text) ?? reasonAgainst(alone);
    if (reason === undefined) continue;
    const problem = `${name} '${text}': expected *, or ${expected}; also ranges (1-5), steps (*/2), lists (1,3-5) (${reason})`;
    return missing === 0 ? `${problem}; ${AS_SIX_FIELDS}` : problem;
  }
  return undefined;
}

const AS_SIX_FIELDS =
  'six fields are second, minute, hour, day of month, month, day of week, and years are not understood';

/**
 * Refuses `?` except for days. cron-parser accepts it in any field. In EventBridge, `0 12 * * ? *` means noon. cron-parser
 * would read it as 12 minutes past each hour.
 */
function reasonAgainstAnyDay(name: string, text: string): string | undefined {
  return text.includes('?') && !name.startsWith('day') ? '? stands for any day' : undefined;
}

/**
 * Returns why cron-parser refuses an expression, or undefined. Also refuses `H`, a random value, which would differ in
 * each invocation.
 */
function reasonAgainst(cron: string): string | undefined {
  if (cron.replaceAll(/thu/gi, '').includes('H')) return 'H has no meaning here';
  try {
    parse(cron);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return /min.*> max/.test(reason) ? WRAPPED : reason;
  }
}

const WRAPPED =
  'a range goes from the lower to the higher, so FRI-MON is written FRI,SAT,SUN,MON, and 22-2 is 22-23,0-2';

/** Returns whether an expression is ever due. Begins at an arbitrary moment, since the calendar repeats itself. */
function isDueSometime(cron: string, timeZone: string): boolean {
  try {
    return nextOccurrence(patternOfExpression(cron), timeZone, 0) !== undefined;
  } catch {
    return false;
  }
}
