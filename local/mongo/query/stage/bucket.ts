import { evalExpr } from 'mingo/core';
import { type Iterator, Lazy } from 'mingo/lazy';
import type { Options } from 'mingo/types';
import { compare, rankOf } from '../../bson/compare.js';
import type { Doc } from '../../bson/decode.js';
import { isDoc } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { accumulate } from './group.js';

interface Buckets {
  readonly groupBy: unknown;
  readonly boundaries: readonly unknown[];
  readonly otherwise: unknown;
  readonly output: Doc;
}

/** `$bucket` groups by the boundaries between which a value lies. */
export function bucket(input: Iterator, spec: unknown, options: Options): Iterator {
  const buckets = parse(spec, options);
  return input.transform((docs: Doc[]) => Lazy(group(docs, buckets, options)));
}

function group(
  docs: readonly Doc[],
  { groupBy, boundaries, otherwise, output }: Buckets,
  options: Options,
): Doc[] {
  const groups = boundaries.map((): Doc[] => []);
  for (const doc of docs) {
    const value = evalExpr(doc, groupBy, options) ?? null;
    const above = boundaries.findIndex((boundary) => compare(value, boundary) < 0);
    if (above <= 0 && otherwise === undefined)
      throw new CommandError(
        40066,
        '$switch could not find a matching branch for an input, and no default was specified.',
      );
    groups[above <= 0 ? boundaries.length - 1 : above - 1]?.push(doc);
  }
  const ids = [...boundaries.slice(0, -1), otherwise];
  const filled = groups
    .map((members, i) => ({ id: ids[i], members }))
    .filter(({ members }) => members.length > 0);
  filled.sort((a, b) => compare(a.id, b.id));
  return filled.map(({ id, members }) => accumulate(id, members, output, options));
}

function parse(spec: unknown, options: Options): Buckets {
  const { groupBy, boundaries: given, default: other, output, ...others } = isDoc(spec) ? spec : {};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new CommandError(40197, `Unrecognized option to $bucket: ${unknown}.`);
  if (groupBy === undefined || !Array.isArray(given))
    throw new CommandError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  const boundaries: unknown[] = given.map((one) => evalExpr({}, one, options) ?? null);
  if (boundaries.length < 2)
    throw new CommandError(40192, "The $bucket 'boundaries' field must have at least 2 values");
  boundaries.slice(1).forEach((one, i) => {
    if (rankOf(one) !== rankOf(boundaries[i]))
      throw new CommandError(
        40193,
        "All values in the the 'boundaries' option to $bucket must have the same type.",
      );
    if (compare(one, boundaries[i]) <= 0)
      throw new CommandError(40194, "The 'boundaries' option to $bucket must be sorted");
  });
  const otherwise = other === undefined ? undefined : (evalExpr({}, other, options) ?? null);
  if (
    otherwise !== undefined &&
    compare(otherwise, boundaries[0]) >= 0 &&
    compare(otherwise, boundaries.at(-1)) < 0
  )
    throw new CommandError(
      40199,
      "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
    );
  return { groupBy, boundaries, otherwise, output: isDoc(output) ? output : { count: { $sum: 1 } } };
}
