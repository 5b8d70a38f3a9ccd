import * as z from 'zod';
import { type Duration, durationSchema } from '../duration.js';
import { type Issue, ValidationError } from '../errors.js';
import { storableText } from '../storable-text.js';
import { KeyProblem, keyText } from './flow-rules.js';

/**
 * Maximum length of a unique key. Some versions of MongoDB refuse index keys above 1 KB.
 */
const MAX_KEY_LENGTH = 500;

/** Maximum number of paths that make a key. */
const MAX_PATHS = 10;

export const uniqueKeySchema = storableText.min(1).max(MAX_KEY_LENGTH);

/** Effect of adding when a job with the key waits already. */
export type UniqueMode = 'keep' | 'replace' | 'preserveRunAt';

/** The key of a job, in one of two ways. */
export interface KeyOptions {
  /** The key itself. */
  readonly key?: string | undefined;
  /** Paths into the input as it is given, such as `['customer.id']`. Their values make the key. */
  readonly by?: readonly string[] | undefined;
}

/** How a unique key is held, and what adding does when it is taken. */
export interface UniqueBehaviour {
  /** When the key is free again. Default `'settled'`. With `'claimed'`, it is free as soon as a worker takes the job. */
  readonly until?: 'claimed' | 'settled' | undefined;
  /** The key stays taken for this time from adding, even if the job has completed or failed by then. */
  readonly period?: Duration | undefined;
  /**
   * Effect of adding when a job with the key waits. `'keep'`, the default, changes nothing. `'replace'` gives it the
   * new input, options and `runAt`. `'preserveRunAt'` gives it the new input and options. A running job never changes.
   */
  readonly mode?: UniqueMode | undefined;
  /**
   * Effect of adding while a job with the key runs. `'keep'`, the default, adds nothing. `'queueOne'` adds one more
   * job, which runs afterwards.
   */
  readonly whileRunning?: 'keep' | 'queueOne' | undefined;
}

/** Option `unique` of a job. Give either `key` or `by`. */
export type UniqueOptions = KeyOptions & UniqueBehaviour;

/** When a debounced job runs. */
export interface DebounceTimes {
  /** The job runs when no further one was added for this time. */
  readonly delay: Duration;
  /** The job runs no later than this time after the first add. Default: no limit. */
  readonly maxWait?: Duration | undefined;
}

/** Option `debounce` of a job. Give either `key` or `by`. */
export type DebounceOptions = KeyOptions & DebounceTimes;

/** The key of all jobs of a kind. Give either `key` or `by`. */
export interface KeyRule<Input = unknown> extends Omit<KeyOptions, 'key'> {
  /** The key itself, or a function of the parsed input that returns it. */
  readonly key?: string | ((input: Input) => string | number) | undefined;
}

const by = z.array(z.string().min(1).max(200)).min(1).max(MAX_PATHS).optional();

/** Returns the key of a parsed input. */
export type KeyFunction = (input: never) => unknown;

const keyOrFunction = z.union([uniqueKeySchema, z.custom<KeyFunction>((key) => typeof key === 'function')], {
  error: `expected a text of 1 to ${MAX_KEY_LENGTH} characters, or a function of the input`,
});

const behaviour = {
  until: z.enum(['claimed', 'settled']).default('settled'),
  period: durationSchema.refine((period) => period > 0, 'expected more than 0').optional(),
  mode: z.enum(['keep', 'replace', 'preserveRunAt']).default('keep'),
  whileRunning: z.enum(['keep', 'queueOne']).default('keep'),
};

const times = {
  delay: durationSchema.refine((delay) => delay > 0, 'expected more than 0'),
  maxWait: durationSchema.optional(),
};

const hasOneKey = ({ key, by }: { key?: unknown; by?: unknown }) =>
  (key === undefined) !== (by === undefined);
const notOneKey = at('key', 'give either key or by, and not both');

const waitsLongEnough = ({ delay, maxWait = delay }: { delay: number; maxWait?: number | undefined }) =>
  maxWait >= delay;
const waitsTooShort = at('maxWait', 'expected at least as much as delay');

type Held = Pick<UniqueRule, 'until' | 'period' | 'whileRunning'>;

const holdsWhileRunning = ({ until, period, whileRunning }: Held) =>
  period === undefined || (until === 'settled' && whileRunning === 'keep');
const cannotHold = at(
  'period',
  "a period keeps the key while the job runs and after it: it goes with neither until: 'claimed' nor whileRunning: 'queueOne'",
);

const hasKeyWhileRunning = ({ until, whileRunning }: Held) => until === 'settled' || whileRunning === 'keep';
const cannotQueueOne = at(
  'whileRunning',
  "with until: 'claimed', a running job does not have its key: expected until: 'settled'",
);

function at(field: string, error: string) {
  return { path: [field], error };
}

const literalKey = { key: uniqueKeySchema.optional(), by };
const ruleKey = { key: keyOrFunction.optional(), by };

/** Option `unique` of a job. */
export const uniqueSchema = z
  .strictObject({ ...literalKey, ...behaviour })
  .refine(hasOneKey, notOneKey)
  .refine(holdsWhileRunning, cannotHold)
  .refine(hasKeyWhileRunning, cannotQueueOne);

/** Option `debounce` of a job. */
export const debounceSchema = z
  .strictObject({ ...literalKey, ...times })
  .refine(hasOneKey, notOneKey)
  .refine(waitsLongEnough, waitsTooShort);

/** The options in a job's definition. */
export const uniqueShape = {
  unique: z
    .strictObject({ ...ruleKey, ...behaviour })
    .refine(hasOneKey, notOneKey)
    .refine(holdsWhileRunning, cannotHold)
    .refine(hasKeyWhileRunning, cannotQueueOne)
    .optional(),
  debounce: z
    .strictObject({ ...ruleKey, ...times })
    .refine(hasOneKey, notOneKey)
    .refine(waitsLongEnough, waitsTooShort)
    .optional(),
};

/** The resolved options of a kind of job, or of one job. At most one of them is given. */
export interface UniqueRules {
  readonly unique?: UniqueRule | undefined;
  readonly debounce?: DebounceRule | undefined;
}

/** `key` is null in a stored definition if only the code knows it. */
interface ResolvedKey {
  readonly key?: string | KeyFunction | null | undefined;
  readonly by?: readonly string[] | undefined;
}

export interface UniqueRule extends ResolvedKey {
  readonly until: 'claimed' | 'settled';
  readonly mode: UniqueMode;
  readonly whileRunning: 'keep' | 'queueOne';
  /** Period in milliseconds. */
  readonly period?: number | undefined;
}

/** Resolved rule of debouncing, with times in milliseconds. */
export interface DebounceRule extends ResolvedKey {
  readonly delay: number;
  readonly maxWait?: number | undefined;
}

/** How a job shares its unique key with others. Absent if it keeps the key until it is settled, and changes no job. */
export interface Sharing {
  readonly mode: UniqueMode;
  /** True if the key is free again once the job is claimed. */
  readonly untilClaimed?: true;
  /** True if no other job with the key runs beside it. */
  readonly isExclusive?: true;
  readonly periodMs?: number;
  /** The latest moment for a job that is put off, in milliseconds from when it entered the queue. */
  readonly maxWaitMs?: number;
}

/** The unique key of a new job. `delayMs` is the delay of a debounced job. */
export interface KeyOfJob {
  readonly uniqueKey: string;
  readonly sharing?: Sharing | undefined;
  readonly delayMs?: number;
}

/** Returns the options of a definition. At most one of them may be given. @throws ValidationError for both */
export function uniqueRules(subject: string, { unique, debounce }: UniqueRules): UniqueRules | undefined {
  if (unique && debounce) throw new ValidationError(subject, [{ path: 'debounce', message: NOT_BOTH }]);
  return unique || debounce ? { ...(unique && { unique }), ...(debounce && { debounce }) } : undefined;
}

export const NOT_BOTH = 'give only one of uniqueKey, unique and debounce';

/** Returns the rules of the option `uniqueKey`. */
export function plainKey(key: string): UniqueRules {
  return { unique: { key, until: 'settled', mode: 'keep', whileRunning: 'keep' } };
}

/** Returns the rules as they are stored for processes without the job's code. */
export function toStoredRules({ unique, debounce }: UniqueRules): UniqueRules {
  const stored = <Rule extends ResolvedKey>(rule: Rule): Rule =>
    typeof rule.key === 'function' ? { ...rule, key: null } : rule;
  return { ...(unique && { unique: stored(unique) }), ...(debounce && { debounce: stored(debounce) }) };
}

/**
 * Returns the unique key of a job by these rules. Undefined if it has none.
 *
 * @param input as it is given, which every process has
 * @param parsed as the schema of the job's code returns it, for a function
 * @throws ValidationError if the input has no key
 */
export function keyOfJob(
  { unique, debounce }: UniqueRules,
  jobName: string,
  input: unknown,
  parsed: unknown,
): KeyOfJob | undefined {
  if (debounce) {
    const { delay: delayMs, maxWait: maxWaitMs } = debounce;
    const sharing: Sharing = {
      mode: 'replace',
      untilClaimed: true,
      ...(maxWaitMs !== undefined && { maxWaitMs }),
    };
    return { uniqueKey: keyBy(debounce, jobName, input, parsed), sharing, delayMs };
  }
  return unique && { uniqueKey: keyBy(unique, jobName, input, parsed), sharing: sharingBy(unique) };
}

function sharingBy({ until, mode, whileRunning, period }: UniqueRule): Sharing | undefined {
  const queuesOne = whileRunning === 'queueOne';
  if (until === 'settled' && mode === 'keep' && !queuesOne && period === undefined) return undefined;
  return {
    mode,
    ...((queuesOne || until === 'claimed') && { untilClaimed: true }),
    ...(queuesOne && { isExclusive: true }),
    ...(period !== undefined && { periodMs: period }),
  };
}

const KNOWN_TO_CODE =
  'the unique key of this job comes from a function of its code: add the job where its code is registered, or give unique or debounce with a key';

function keyBy({ key, by = [] }: ResolvedKey, jobName: string, input: unknown, parsed: unknown): string {
  const issues: Issue[] = [];
  const textOf = (rule: string | KeyFunction, from: unknown, path: string) => {
    const value = keyText(rule, from, MAX_KEY_LENGTH);
    if (value instanceof KeyProblem) issues.push({ path, message: `unique key: ${value.message}` });
    return String(value);
  };
  const values = by.map((path) => textOf(path, input, path));
  if (key === null) issues.push({ path: '', message: KNOWN_TO_CODE });
  const own = typeof key === 'function' ? textOf(key, parsed, '') : key;
  const [only = '', ...others] = values;
  const text = own ?? (others.length === 0 ? only : JSON.stringify(values));
  if (issues.length === 0 && text.length > MAX_KEY_LENGTH)
    issues.push({
      path: '',
      message: `unique key: expected at most ${MAX_KEY_LENGTH} characters, not ${text.length}`,
    });
  if (issues.length > 0) throw new ValidationError(`Input of job '${jobName}'`, issues);
  return text;
}
