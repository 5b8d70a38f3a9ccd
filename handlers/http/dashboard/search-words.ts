import { jobStatuses } from '../../../src/index.js';
import { searchKeySchema } from '../../../src/job/search-keys.js';
import { FAILED_TIMES, failedTime } from './failed-time.js';
import type { JobFilter } from './job-filter.js';

/** The filter that a search asks for, or the reasons why its text cannot be read. */
export type ReadSearch = { readonly filter: JobFilter } | { readonly problems: readonly string[] };

/** The words of a search. Each sets a field of the filter, and checks the value. */
const words: Readonly<Record<string, { readonly field: keyof JobFilter; readonly check: Check }>> = {
  status: { field: 'status', check: oneOf(jobStatuses) },
  kind: { field: 'name', check: anyText },
  queue: { field: 'queue', check: anyText },
  key: { field: 'key', check: keyProblem },
  failed: { field: 'failed', check: failedProblem },
  text: { field: 'error', check: anyText },
  order: { field: 'order', check: oneOf(['newest', 'oldest']) },
};

/** Maximum length of a text, the same as in the filter of the page. */
const MAX_TEXT = 500;

/** Returns the error in a value, if there is one. */
type Check = (value: string) => string | undefined;

/** Returns suggestions: each word with an example. */
export function suggestions(names: readonly string[]): string[] {
  return [
    ...jobStatuses.map((status) => `status:${status}`),
    'failed:<1h',
    'failed:>1d',
    ...names.map((name) => `kind:${quoted(name)}`),
    'order:oldest',
  ];
}

/** The part of a filter in a word, such as `kind:charge`. */
export interface SearchWord {
  readonly field: keyof JobFilter;
  readonly text: string;
}

/** Returns the words that stand for a filter. */
export function wordsOf(filter: JobFilter): SearchWord[] {
  return Object.entries(words).flatMap(([word, { field }]) => {
    const value = filter[field];
    return value === undefined ? [] : [{ field, text: `${word}:${quoted(value)}` }];
  });
}

/**
 * Reads a search such as `status:error kind:charge failed:<1h key:orderId=42 text:"timed out"`. Words without a name
 * form one text, which is looked for in the messages of errors.
 */
export function readSearch(text: string): ReadSearch {
  const found = new Map<keyof JobFilter, string>();
  const problems: string[] = [];
  const loose: string[] = [];
  for (const { 1: name, 2: inQuotes, 3: bare = '' } of text.matchAll(
    /(?:([A-Za-z]+):)?(?:"([^"]*)"|(\S+))/g,
  )) {
    const value = inQuotes ?? bare;
    const word = name === undefined ? undefined : words[name.toLowerCase()];
    if (name === undefined) loose.push(value);
    else if (!word)
      problems.push(
        `'${name}' is no word of a search: expected ${listed(Object.keys(words))}. To look for a text with a colon in errors, put it into quotes.`,
      );
    else if (found.has(word.field)) problems.push(`'${name}' is given twice.`);
    else {
      const problem = word.check(value);
      if (problem) problems.push(`${name}: ${problem}, not '${shortened(value)}'.`);
      found.set(word.field, value);
    }
  }
  if (loose.length > 0 && found.has('error'))
    problems.push(`'${loose.join(' ')}' stands beside text:… Put it into quotes there.`);
  else if (loose.length > 0) {
    const problem = anyText(loose.join(' '));
    if (problem) problems.push(`The text for errors: ${problem}.`);
    found.set('error', loose.join(' '));
  }
  return problems.length > 0 ? { problems } : { filter: Object.fromEntries(found) };
}

function oneOf(values: readonly string[]): Check {
  return (value) => (values.includes(value) ? undefined : `expected ${listed(values)}`);
}

function anyText(value: string): string | undefined {
  if (value.length > MAX_TEXT) return `expected at most ${MAX_TEXT} characters`;
  return value.trim() === '' ? 'expected a text' : undefined;
}

function keyProblem(value: string): string | undefined {
  return searchKeySchema.safeParse(value).success
    ? undefined
    : 'expected a searchable path and its value, such as orderId=42';
}

function failedProblem(value: string): string | undefined {
  return failedTime(value, new Date()) ? undefined : FAILED_TIMES;
}

function shortened(value: string): string {
  return value.length > 100 ? `${value.slice(0, 99).toWellFormed()}…` : value;
}

function listed(values: readonly string[]): string {
  return values.join(', ');
}

function quoted(value: string): string {
  return /[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value;
}
