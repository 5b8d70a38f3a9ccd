import * as z from 'zod';
import { type Duration, durationSchema } from '../duration.js';
import { type Issue, ValidationError } from '../errors.js';

/** Maximum number of slots of a limit. More would not protect anything; a rate limit serves then. */
export const MAX_SLOTS = 1000;

/** Maximum number of concurrency limits of a kind of job. */
const MAX_LIMITS = 4;

/** Maximum length of a key. Some versions of MongoDB refuse index keys above 1 KB. */
const MAX_KEY_LENGTH = 200;

/** Whose limit it is: a path into the input, such as `'customer.id'`, or a function of the parsed input. */
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

/** Resolved rules of flow control of a kind of job. */
export interface FlowRules {
  readonly concurrency: readonly ConcurrencyRule[];
  readonly rate?: RateRule;
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

/** A concurrency limit that a job is subject to, as stored on the job. */
export interface JobLimit {
  /** The limit's name, and `=` and the key if it has one. */
  readonly key: string;
  readonly limit: number;
}

/** One place in a concurrency limit. A unique index lets only one job hold it. */
export interface HeldSlot {
  readonly key: string;
  /** From 0. */
  readonly number: number;
}

/** The limits of one job. */
export interface LimitsOfJob {
  /** In the order in which the job waits for them, which is the same for all jobs, so that no two wait for each other. */
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
    /^[\w.:/-]{1,100}(=.{1,200})?$/s,
    "expected the name of a limit, and '=' and a key of 1 to 200 characters if it has keys, such as 'import=acme'",
  )
  .refine((key) => key.isWellFormed(), 'expected well-formed Unicode: half of a character is missing');

const keyed = {
  key: z
    .union([z.string().min(1).max(200), z.custom<LimitKey<never>>((key) => typeof key === 'function')], {
      error: "expected a path into the input such as 'customer.id', or a function of the input",
    })
    .optional(),
  name: limitName.optional(),
};

const concurrencyLimit = z.strictObject({ limit: z.int().min(1).max(MAX_SLOTS), ...keyed });

const rateLimit = z.strictObject({
  limit: z.int().min(1).max(1_000_000),
  period: durationSchema.refine((period) => period > 0, 'expected more than 0'),
  burst: z.int().min(1).max(1_000_000).default(1),
  ...keyed,
});

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
};

const flowSchema = z.object(flowShape);

/** Resolves the rules of a definition. Undefined if it has none. @throws ValidationError for a limit given twice */
export function flowRules(
  subject: string,
  jobName: string,
  { concurrency = [], rateLimit }: z.output<typeof flowSchema>,
): FlowRules | undefined {
  if (concurrency.length === 0 && rateLimit === undefined) return undefined;
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
  const { period: periodMs, name = jobName, ...rate } = rateLimit ?? { period: 0, limit: 0, burst: 0 };
  return {
    concurrency: [...rules].sort(mostSpecificFirst),
    ...(rateLimit && { rate: { name, periodMs, ...rate } }),
  };
}

/** Keyed limits come before those of all jobs, because a job keeps the places it has while it waits for the next. */
function mostSpecificFirst(one: ConcurrencyRule, other: ConcurrencyRule): number {
  const isKeyed = (rule: ConcurrencyRule) => (rule.key === undefined ? 1 : 0);
  return isKeyed(one) - isKeyed(other) || (one.name < other.name ? -1 : 1);
}

/**
 * Returns the limits that a job with this parsed input is subject to.
 *
 * @throws ValidationError if the input has no key
 */
export function limitsOf(jobName: string, { concurrency, rate }: FlowRules, input: unknown): LimitsOfJob {
  const issues: Issue[] = [];
  const keyAt = (rule: Keyed, path: string) => {
    const key = keyOf(rule, input);
    if (key instanceof KeyProblem) issues.push({ path: `${path}.key`, message: key.message });
    return key instanceof KeyProblem ? rule.name : key;
  };
  const limits = concurrency.map((rule, index) => ({
    key: keyAt(rule, `concurrency.${index}`),
    limit: rule.limit,
  }));
  // A name has no space, so no concurrency limit has the same key.
  const rateKey = rate && `rate ${keyAt(rate, 'rateLimit')}`;
  if (issues.length > 0) throw new ValidationError(`The key of a limit of job '${jobName}'`, issues);
  return { limits, ...(rateKey !== undefined && { rateKey }) };
}

/** Why a rule gives no key for an input. */
export class KeyProblem {
  constructor(readonly message: string) {}
}

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
  const value = typeof key === 'string' ? valueAt(input, key) : callKey(key, input);
  if (value instanceof KeyProblem) return value;
  const isValid = typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
  const where = typeof key === 'string' ? `at '${key}' of the input` : 'from its function';
  if (!isValid) return new KeyProblem(`expected a text or a number ${where}, not ${describe(value)}`);
  const text = String(value);
  if (text.length === 0 || text.length > maxLength)
    return new KeyProblem(`expected 1 to ${maxLength} characters ${where}, not ${text.length}`);
  if (!text.isWellFormed())
    return new KeyProblem(`expected well-formed Unicode ${where}: half of a character is missing`);
  return text;
}

/**
 * Returns the limit of the jobs of a kind that have a unique key in common and do not run beside each other. A name has
 * no space, so no other limit has this key.
 */
export function exclusiveLimit(jobName: string, key: string): JobLimit {
  return { key: `unique ${jobName}=${key}`, limit: 1 };
}

/** Returns the limits in which a job with these places has none, in their order. */
export function limitsWithoutSlot(
  limits: readonly JobLimit[],
  slots: readonly HeldSlot[],
): readonly JobLimit[] {
  return limits.filter(({ key }) => !slots.some((slot) => slot.key === key));
}

/** Whether the limits of a job depend on its input. */
export function dependOnInput({ concurrency, rate }: FlowRules): boolean {
  return [...concurrency, ...(rate ? [rate] : [])].some(({ key }) => key !== undefined);
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

function valueAt(input: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, field) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, field)
          ? Reflect.get(value, field)
          : undefined,
      input,
    );
}
