import * as z from 'zod';
import { type Duration, durationSchema } from '../duration.js';
import { type Issue, ValidationError } from '../errors.js';
import { valueAt } from './value-at.js';

/** Maximum number of slots of a limit. More would not protect anything; a rate limit serves then. */
export const MAX_SLOTS = 1000;

/** Maximum number of concurrency limits of a kind of job. */
const MAX_LIMITS = 4;

/** Maximum length of a key. Some versions of MongoDB refuse index keys above 1 KB. */
const MAX_KEY_LENGTH = 200;

/** Maximum weight of a key that takes turns. */
const MAX_WEIGHT = 100;

/** Key of a limit: a path into the input, such as `'customer.id'`, or a function of the parsed input. */
export type LimitKey<Input = unknown> = string | ((input: Input) => string | number);

/** A limit on how many jobs run at a time. */
export interface ConcurrencyLimit<Input = unknown> {
  /** How many jobs run at a time, 1 to 1000. */
  readonly limit: number;
  /** The limit holds for each key by itself. Default: for all jobs together. */
  readonly key?: LimitKey<Input>;
  /** Kinds of jobs that give the same name share the limit. Default: the name of the job. */
  readonly name?: string;
}

/**
 * A limit on how many jobs start in a period. Starts are spread evenly, by the generic cell rate algorithm (ITU-T I.371).
 * In any period, at most `limit + burst` jobs start.
 */
export interface RateLimit<Input = unknown> {
  /** How many jobs start in each period, on average at most. */
  readonly limit: number;
  readonly period: Duration;
  /** How many jobs may start at once after a pause. Default 1, which spreads starts evenly. */
  readonly burst?: number;
  /** The limit holds for each key by itself. Default: for all jobs together. */
  readonly key?: LimitKey<Input>;
  /** Kinds of jobs that give the same name share the limit. Default: the name of the job. */
  readonly name?: string;
}

/** Takes turns between the keys of a kind of job. */
export interface Fairness<Input = unknown> {
  /** The key that takes turns with others. */
  readonly key: LimitKey<Input>;
  /**
   * Number of jobs of this key that start while one job of a key with weight 1 starts. An integer from 1 to 100, a path
   * into the input, or a function of it. Default 1.
   */
  readonly weight?: number | string | ((input: Input) => number);
  /** Kinds of jobs that give the same name take turns together. Default: the name of the job. */
  readonly name?: string;
}

/** Runs jobs one at a time, in the order in which they were added, through all retries. */
export interface Ordering<Input = unknown> {
  /** The order holds for each key by itself. Default: for all jobs together. */
  readonly key?: LimitKey<Input>;
  /**
   * Effect of a job that ends in `error`. With `'stop'`, the default, the jobs behind it wait until it is retried,
   * skipped or removed. With `'skip'`, the next one runs.
   */
  readonly onFailure?: 'stop' | 'skip';
  /** Kinds of jobs that give the same name share the order. Default: the name of the job. */
  readonly name?: string;
}

/** Resolved rules of flow control of a kind of job. */
export interface FlowRules {
  readonly concurrency: readonly ConcurrencyRule[];
  readonly rate?: RateRule;
  readonly fairness?: FairnessRule;
  readonly ordering?: OrderingRule;
}

interface Keyed {
  readonly name: string;
  readonly key?: LimitKey<never> | undefined;
}

export interface ConcurrencyRule extends Keyed {
  readonly limit: number;
}

export interface RateRule extends Keyed {
  readonly limit: number;
  readonly periodMs: number;
  readonly burst: number;
}

export interface FairnessRule extends Keyed {
  readonly weight: number | string | ((input: never) => number);
}

export interface OrderingRule extends Keyed {
  /** Whether a job that ends in `error` holds up the jobs behind it. */
  readonly stops: boolean;
}

/** A limit that a job is subject to, as stored on the job. */
export interface JobLimit {
  /** The limit's name, and `=` and the key if it has one. Begins with `order ` or `turn ` if it is one of these. */
  readonly key: string;
  readonly limit: number;
  /** Strict order: true if the job keeps its place when it ends in `error`. */
  readonly stops?: true;
}

/**
 * Turns that a key of weight 1 has at a time. A job takes a turn before a claim can see it, and passes it on when it
 * starts. With two, the next job is there while the first one is claimed.
 */
const TURNS = 2;

/** Returns whether a limit is the line of a strict order. */
export function isOrder(key: string): boolean {
  return key.startsWith('order ');
}

/** Returns whether one of a job's limits is the line of a strict order. */
export function isOrdered(limits: readonly JobLimit[] = []): boolean {
  return limits.some(({ key }) => isOrder(key));
}

/** Returns whether a limit is the line of a key that takes turns with others. */
export function isTurn(key: string): boolean {
  return key.startsWith('turn ');
}

/** Returns whether a job keeps its place in this limit until it is settled, also while it waits for its next attempt. */
export function isHeldUntilSettled(key: string): boolean {
  return isOrder(key) || key.startsWith('unique ');
}

/** Matches the keys of lines of keys that take turns. */
export const anyTurn = { $gte: 'turn ', $lt: 'turn!' } as const;

/** Returns whether jobs wait in line for this limit from the start. They meet other limits when they are claimed. */
export function isLined({ key }: JobLimit): boolean {
  return isOrder(key) || isTurn(key);
}

/** One place in a concurrency limit. A unique index lets only one job hold it. */
export interface HeldSlot {
  readonly key: string;
  /** Number of the place, from 0. */
  readonly number: number;
  /** When the job got the place. Present if the job then had to wait for its next limit. */
  readonly at?: Date;
}

/** Returns the name of a limit, without the key. */
export function limitNameOf(limitKey: string): string {
  const [name = limitKey] = limitKey.split('=', 1);
  return name;
}

/** The limits of one job. */
export interface LimitsOfJob {
  /**
   * The limits, in the order in which the job waits for them. The order is the same for all jobs, so that no two wait
   * for each other.
   */
  readonly limits: readonly JobLimit[];
  readonly rateKey?: string;
}

const limitName = z
  .string()
  .regex(/^[\w.:/-]{1,100}$/, 'expected 1 to 100 letters, digits, or any of _ - . : /');

/** Valid keys of concurrency limits: a name, and `=` and the key of a job if the limit has keys. */
export const limitKeySchema = z
  .string()
  .refine((key) => !key.startsWith('rate '), {
    error:
      'expected a limit on how many jobs run at a time: a rate limit cannot be set or paused, so pause a queue instead',
    abort: true,
  })
  .regex(
    /^(order )?[\w.:/-]{1,100}(=.{1,200})?$/s,
    "expected the name of a limit, and '=' and a key of 1 to 200 characters if it has keys, such as 'import=acme'",
  )
  .refine((key) => key.isWellFormed(), 'expected well-formed Unicode: half of a character is missing');

/** Valid keys of strict orders. */
export const orderKeySchema = limitKeySchema.refine(
  isOrder,
  "expected a strict order: 'order', its name, and '=' and a key if it has keys, such as 'order events=acme'",
);

const key = z.union([z.string().min(1).max(200), isFunction<LimitKey<never>>()], {
  error: "expected a path into the input such as 'customer.id', or a function of the input",
});

const keyed = { key: key.optional(), name: limitName.optional() };

function isFunction<Type>(): z.ZodType<Type> {
  return z.custom<Type>((value) => typeof value === 'function');
}

const concurrencyLimit = z.strictObject({ limit: z.int().min(1).max(MAX_SLOTS), ...keyed });

const rateLimit = z.strictObject({
  limit: z.int().min(1).max(1_000_000),
  period: durationSchema.refine((period) => period > 0, 'expected more than 0'),
  burst: z.int().min(1).max(1_000_000).default(1),
  ...keyed,
});

const weight = z.union(
  [z.number().min(1).max(MAX_WEIGHT), z.string().min(1).max(200), isFunction<() => number>()],
  {
    error: `expected a number from 1 to ${MAX_WEIGHT}, a path into the input such as 'plan.weight', or a function of the input`,
  },
);

const fairness = z.strictObject({ key, weight: weight.default(1), name: limitName.optional() });

const ordering = z.strictObject({ onFailure: z.enum(['stop', 'skip']).default('stop'), ...keyed });

/**
 * One limit, or a list of limits. Two schemas in a union would not tell which field is wrong. Its type is written out,
 * because the one that zod infers is not known to older versions of zod.
 */
const concurrencyLimits: z.ZodType<z.output<typeof concurrencyLimit>[]> = z.preprocess(
  (value) => (Array.isArray(value) ? value : [value]),
  z.array(concurrencyLimit).min(1).max(MAX_LIMITS),
);

/** The options of flow control in a job's definition. */
export const flowShape = {
  concurrency: concurrencyLimits.optional(),
  rateLimit: rateLimit.optional(),
  fairness: fairness.optional(),
  ordering: ordering.optional(),
};

const flowSchema = z.object(flowShape);

/** Resolves the rules of a definition. Undefined if it has none. @throws ValidationError for a limit given twice */
export function flowRules(
  subject: string,
  jobName: string,
  { concurrency = [], rateLimit, fairness, ordering }: z.output<typeof flowSchema>,
): FlowRules | undefined {
  const isAny = concurrency.length > 0 || rateLimit || fairness || ordering;
  if (!isAny) return undefined;
  const rules = concurrency.map(({ name = jobName, ...limit }) => ({ name, ...limit }));
  const twice = rules.findIndex(
    ({ name, key }, index) =>
      rules.findIndex((other) => other.name === name && (other.key === undefined) === (key === undefined)) <
      index,
  );
  if (twice >= 0)
    throw new ValidationError(subject, [
      { path: `concurrency.${twice}.name`, message: 'expected a name of its own: two limits have the same' },
    ]);
  return {
    concurrency: [...rules].sort(mostSpecificFirst),
    ...(rateLimit && { rate: rateRule(jobName, rateLimit) }),
    ...(fairness && { fairness: { ...fairness, name: fairness.name ?? jobName } }),
    ...(ordering && { ordering: orderingRule(jobName, ordering) }),
  };
}

function rateRule(
  jobName: string,
  { period: periodMs, name = jobName, ...rate }: z.output<typeof rateLimit>,
): RateRule {
  return { name, periodMs, ...rate };
}

function orderingRule(
  jobName: string,
  { onFailure, name = jobName, key }: z.output<typeof ordering>,
): OrderingRule {
  return { name, key, stops: onFailure === 'stop' };
}

/** Puts keyed limits before limits of all jobs, because a job keeps its places while it waits for its next limit. */
function mostSpecificFirst(one: ConcurrencyRule, other: ConcurrencyRule): number {
  const isKeyed = (rule: ConcurrencyRule) => (rule.key === undefined ? 1 : 0);
  return isKeyed(one) - isKeyed(other) || (one.name < other.name ? -1 : 1);
}

/**
 * Returns the limits that a job with this parsed input is subject to.
 *
 * @throws ValidationError if the input has no key
 */
export function limitsOf(jobName: string, rules: FlowRules, input: unknown): LimitsOfJob {
  const { concurrency, rate, fairness, ordering } = rules;
  const issues: Issue[] = [];
  const orNoted = <Value>(value: Value | KeyProblem, path: string, otherwise: Value): Value => {
    if (!(value instanceof KeyProblem)) return value;
    issues.push({ path, message: value.message });
    return otherwise;
  };
  const keyAt = (rule: Keyed, path: string) => orNoted(keyOf(rule, input), `${path}.key`, rule.name);
  const orders = ordering ? [orderLimit(keyAt(ordering, 'ordering'), ordering)] : [];
  const turns = fairness
    ? [
        {
          key: `turn ${keyAt(fairness, 'fairness')}`,
          limit: TURNS * orNoted(weightOf(fairness, input), 'fairness.weight', 1),
        },
      ]
    : [];
  const limits = concurrency.map((rule, index) => ({
    key: keyAt(rule, `concurrency.${index}`),
    limit: rule.limit,
  }));
  // A name has no space, so no two kinds of limits have the same key.
  const rateKey = rate && `rate ${keyAt(rate, 'rateLimit')}`;
  if (issues.length > 0) throw new ValidationError(`The key of a limit of job '${jobName}'`, issues);
  return { limits: [...orders, ...turns, ...limits], ...(rateKey !== undefined && { rateKey }) };
}

/** The limit of a strict order with this rule and key. */
export function orderLimit(key: string, { stops }: Pick<OrderingRule, 'stops'>): JobLimit {
  return { key: `order ${key}`, limit: 1, ...(stops && { stops }) };
}

/** Why a rule gives no key for an input. */
export class KeyProblem {
  constructor(readonly message: string) {}
}

/** Returns the key of a rule for an input, after its name. */
function keyOf({ name, key }: Keyed, input: unknown): string | KeyProblem {
  if (key === undefined) return name;
  const text = keyText(key, input, MAX_KEY_LENGTH);
  return text instanceof KeyProblem ? text : `${name}=${text}`;
}

/** Returns the text that a path or a function finds in an input, or why there is none. */
export function keyText(
  key: string | ((input: never) => unknown),
  input: unknown,
  maxLength: number,
): string | KeyProblem {
  const value = read(key, input);
  if (value instanceof KeyProblem) return value;
  const isValid = typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
  const where = placeOf(key);
  if (!isValid) return new KeyProblem(`expected a text or a number ${where}, not ${describe(value)}`);
  const text = String(value);
  if (text.length === 0 || text.length > maxLength)
    return new KeyProblem(`expected 1 to ${maxLength} characters ${where}, not ${text.length}`);
  if (!text.isWellFormed())
    return new KeyProblem(`expected well-formed Unicode ${where}: half of a character is missing`);
  return text;
}

/**
 * Returns the limit that keeps jobs of a kind with the same unique key from running beside each other. A name has no space,
 * so no other limit has this key.
 */
export function exclusiveLimit(jobName: string, key: string): JobLimit {
  return { key: `unique ${jobName}=${key}`, limit: 1 };
}

function weightOf({ weight }: FairnessRule, input: unknown): number | KeyProblem {
  if (typeof weight === 'number') return Math.round(weight);
  const value = read(weight, input);
  if (value instanceof KeyProblem) return value;
  if (typeof value === 'number' && value >= 1 && value <= MAX_WEIGHT) return Math.round(value);
  const given = typeof value === 'number' ? String(value) : describe(value);
  return new KeyProblem(`expected a number from 1 to ${MAX_WEIGHT} ${placeOf(weight)}, not ${given}`);
}

/** Reads a value at a path of the input, or from a function of it. */
function read(from: string | ((input: never) => unknown), input: unknown): unknown {
  return typeof from === 'string' ? valueAt(input, from) : callKey(from, input);
}

function placeOf(from: unknown): string {
  return typeof from === 'string' ? `at '${from}' of the input` : 'from its function';
}

/** Returns the limits in which a job with these places has no place. Keeps their order. */
export function limitsWithoutSlot(
  limits: readonly JobLimit[],
  slots: readonly HeldSlot[],
): readonly JobLimit[] {
  return limits.filter(({ key }) => !slots.some((slot) => slot.key === key));
}

/**
 * Returns the limits in which a job with these places needs one more place before it may run. Leaves out turns, which are
 * passed on when a job starts. A job that has a place in one strict order needs no place in another.
 */
export function unmetLimits(limits: readonly JobLimit[], slots: readonly HeldSlot[]): readonly JobLimit[] {
  const isInOrder = slots.some(({ key }) => isOrder(key));
  return limitsWithoutSlot(limits, slots).filter(({ key }) => !isTurn(key) && !(isOrder(key) && isInOrder));
}

/** Whether the limits of a job depend on its input. */
export function dependOnInput({ concurrency, rate, fairness, ordering }: FlowRules): boolean {
  return fairness !== undefined || [...concurrency, rate, ordering].some((rule) => rule?.key !== undefined);
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  return value === null ? 'null' : `a value of type ${typeof value}`;
}

function callKey(key: (input: never) => unknown, input: unknown): unknown {
  try {
    return Reflect.apply(key, undefined, [input]);
  } catch (error) {
    return new KeyProblem(`its function threw: ${error instanceof Error ? error.message : String(error)}`);
  }
}
