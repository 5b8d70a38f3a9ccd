import type { Issue } from '../errors.js';
import { isPlainObject } from '../job/storable.js';

/**
 * A part of an input that stands for the result of another job of the workflow. The result replaces it once that job has ended.
 */
export interface ResultReference {
  /** Name of the other job in the workflow. */
  readonly $resultOf: string;
  /** Path into its result. Default: the whole result. */
  readonly path?: string;
}

/**
 * Returns a reference to the result of another job, for the input of a job of a workflow. The result is null if the other job
 * did not complete.
 *
 * @param job name of the other job in the workflow
 * @param path path into its result. Default: the whole result
 * @example load: { job: load, input: { rows: resultOf<Row[]>('extract') } },
 */
export function resultOf<Result>(job: string, path?: string): Result;
export function resultOf(job: string, path?: string): ResultReference {
  return { $resultOf: job, ...(path !== undefined && { path }) };
}

/** A reference that was found in an input. */
export interface FoundReference {
  /** Path into the input. Empty if the reference is the whole input. */
  readonly at: string;
  /** Name of the other job in the workflow. */
  readonly job: string;
  readonly path: string;
}

/** An input without its references. */
export interface Dereferenced {
  readonly input: unknown;
  readonly references: readonly FoundReference[];
  readonly issues: readonly Issue[];
}

/** Takes the references out of an input. The whole input or a member of an object may be a reference. */
export function takeReferences(input: unknown): Dereferenced {
  const references: FoundReference[] = [];
  const issues: Issue[] = [];
  const refuse = (path: readonly string[], message: string) => issues.push({ path: path.join('.'), message });
  const take = (value: unknown, path: readonly string[], isInList: boolean): unknown => {
    if (isReference(value)) {
      if (isInList)
        refuse(path, 'expected no result of another job in a list: pass it as a member of an object');
      else if (path.some((key) => /[.$]/.test(key)))
        refuse(path, "expected no '.' and no '$' in the names of members above a result of another job");
      else references.push({ at: path.join('.'), job: value.$resultOf, path: value.path ?? '' });
      return undefined;
    }
    if (Array.isArray(value)) return value.map((item, index) => take(item, [...path, String(index)], true));
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, member]) => [key, take(member, [...path, key], isInList)])
        .filter(([key, member]) => member !== undefined || value[String(key)] === undefined),
    );
  };
  const taken = take(input, [], false);
  return { input: taken, references, issues };
}

function isReference(value: unknown): value is ResultReference {
  if (!isPlainObject(value) || typeof value.$resultOf !== 'string') return false;
  const { path } = value;
  return (
    Object.keys(value).every((key) => key === '$resultOf' || key === 'path') &&
    ['string', 'undefined'].includes(typeof path)
  );
}
