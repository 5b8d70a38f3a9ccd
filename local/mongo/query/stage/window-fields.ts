import { evalExpr } from 'mingo/core';
import { type Iterator, Lazy } from 'mingo/lazy';
import type { Options } from 'mingo/types';
import { equal } from '../../bson/compare.js';
import type { Doc } from '../../bson/decode.js';
import { valueAt } from '../../bson/path.js';
import { isDoc } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { KeyMaker } from '../../storage/index-keys.js';
import { keyString } from '../../storage/key-string.js';
import { accumulatorOverrides } from '../accumulators.js';
import { project } from '../projection.js';
import { parseAddFields } from '../projection-tree.js';
import { sortDocs } from '../sort-docs.js';
import { sortPattern } from '../sort-pattern.js';
import { parseWindow, type Window } from './window.js';

/** The documents of a partition with their sort keys. */
interface Partition {
  readonly docs: readonly Doc[];
  readonly keys: readonly string[];
}

type Compute = (partition: Partition, at: number) => unknown;

interface Output {
  readonly path: string;
  readonly compute: Compute;
}

const RANKS: Readonly<Record<string, Compute>> = {
  $documentNumber: (_, at) => at + 1,
  $rank: ({ keys }, at) => keys.indexOf(keys[at] ?? '') + 1,
  $denseRank: ({ keys }, at) => new Set(keys.slice(0, at + 1)).size,
};

/** `$setWindowFields` adds values computed from the documents around each one in its partition. */
export function setWindowFields(input: Iterator, spec: unknown, options: Options): Iterator {
  const { partitionBy, sortBy, output, ...others } = isDoc(spec) ? spec : {};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new CommandError(40415, `BSON field '$setWindowFields.${unknown}' is an unknown field.`);
  if (!isDoc(output))
    throw new CommandError(40414, `BSON field '$setWindowFields.output' is missing but a required field`);
  const keys = new KeyMaker(sortPattern(isDoc(sortBy) ? sortBy : {}));
  const outputs = Object.entries(output).map(([path, one]) => outputOf(path, one, keys, options));
  return input.transform((docs: Doc[]) =>
    Lazy(
      partitionsOf(docs, partitionBy, options).flatMap((part) =>
        computed(sortDocs(part, keys), keys, outputs, options),
      ),
    ),
  );
}

function partitionsOf(docs: readonly Doc[], by: unknown, options: Options): Doc[][] {
  const partitions = new Map<string, Doc[]>();
  for (const doc of docs) {
    const value = by === undefined ? null : (evalExpr(doc, by, options) ?? null);
    if (Array.isArray(value))
      throw new CommandError(14, 'An expression used to partition cannot evaluate to value of type array');
    const key = keyString([value], [1]);
    const found = partitions.get(key);
    if (found) found.push(doc);
    else partitions.set(key, [doc]);
  }
  return [...partitions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
}

function computed(docs: readonly Doc[], keys: KeyMaker, outputs: readonly Output[], options: Options): Doc[] {
  const partition = { docs, keys: docs.map((doc) => keys.sortKeyOf(doc)) };
  return docs.map((doc, at) =>
    outputs.reduce((result, { path, compute }) => {
      const value = { $literal: compute(partition, at) };
      return project(result, parseAddFields({ [path]: value }).root, 'add', (one, whole) =>
        evalExpr(whole, one, options),
      );
    }, doc),
  );
}

function outputOf(path: string, spec: unknown, keys: KeyMaker, options: Options): Output {
  const { window, ...rest } = isDoc(spec) ? spec : {};
  const [[name, operand] = ['', undefined], ...others] = Object.entries(rest);
  if (others.length > 0 || !name.startsWith('$'))
    throw new CommandError(9, 'Expected a $-prefixed window function, and nothing but a window besides');
  const sorted = keys.fields.length > 0;
  const rank = RANKS[name];
  if (rank !== undefined || name === '$shift') {
    if (!sorted) throw new CommandError(5371602, `${name} must be specified with a sortBy`);
    if (window !== undefined) throw new CommandError(5371601, `${name} does not accept a 'window' field`);
    return { path, compute: rank ?? shifting(operand, options) };
  }
  if (name !== '$count' && accumulatorOverrides[name] === undefined)
    throw new CommandError(9, `Unrecognized window function, ${name}`);
  const bounds = parseWindow(window, keys);
  const accumulator = name === '$count' ? { $sum: 1 } : { [name]: operand };
  return {
    path,
    compute: ({ docs }, at) => evalExpr(within(docs, at, bounds, keys), accumulator, options) ?? null,
  };
}

function shifting(operand: unknown, options: Options): Compute {
  const { output, by, default: otherwise = null } = isDoc(operand) ? operand : {};
  if (typeof by !== 'number' || !Number.isInteger(by))
    throw new CommandError(9, "'$shift:by' field must be an integer");
  return ({ docs }, at) => {
    const other = docs[at + by];
    return (
      (other === undefined ? evalExpr({}, otherwise, options) : evalExpr(other, output, options)) ?? null
    );
  };
}

/** Returns the documents within a window around this one, measured in documents or by the sort value. */
function within(docs: readonly Doc[], at: number, window: Window, keys: KeyMaker): Doc[] {
  if (window.kind === 'documents')
    return docs.slice(Math.max(0, at + window.from), Math.max(0, at + window.to + 1));
  const path = keys.fields[0]?.path ?? '';
  const own = valueAt(docs[at], path);
  return docs.filter((doc) => {
    const value = valueAt(doc, path);
    return window.contains(own, value) || (equal(own, value) && window.containsOwn);
  });
}
