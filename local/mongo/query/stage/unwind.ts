import { Long } from 'bson';
import { type Iterator, Lazy } from 'mingo/lazy';
import { type Doc, setField } from '../../bson/decode.js';
import { valueAt } from '../../bson/path.js';
import { isDoc } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';

interface Unwind {
  readonly path: readonly string[];
  readonly index: string | undefined;
  readonly preserve: boolean;
}

/** `$unwind` makes one document for each element of an array. Any other value counts as its only element. */
export function unwind(input: Iterator, spec: unknown): Iterator {
  const parsed = parse(spec);
  return input.transform((docs: Doc[]) => Lazy(docs.flatMap((doc) => unwound(doc, parsed))));
}

function unwound(doc: Doc, unwind: Unwind): Doc[] {
  const value = plainValueAt(doc, unwind.path);
  if (Array.isArray(value) && value.length > 0)
    return value.map((element, i) =>
      withIndex(withValue(doc, unwind.path, element), unwind, Long.fromNumber(i)),
    );
  if (!Array.isArray(value) && value !== undefined && value !== null) return [withIndex(doc, unwind, null)];
  if (!unwind.preserve) return [];
  return [withIndex(Array.isArray(value) ? withValue(doc, unwind.path, undefined) : doc, unwind, null)];
}

/** Returns the value at a path. Enters no array on the way, not even by an index. */
function plainValueAt(doc: Doc, path: readonly string[]): unknown {
  let value: unknown = doc;
  for (const name of path) value = isDoc(value) ? valueAt(value, name) : undefined;
  return value;
}

function withValue(doc: Doc, path: readonly string[], value: unknown): Doc {
  const [name = '', ...rest] = path;
  const result: Doc = {};
  for (const [field, one] of Object.entries(doc)) {
    const next = field !== name ? one : rest.length > 0 && isDoc(one) ? withValue(one, rest, value) : value;
    if (next !== undefined) setField(result, field, next);
  }
  if (!Object.hasOwn(doc, name)) setField(result, name, rest.length > 0 ? withValue({}, rest, value) : value);
  return result;
}

function withIndex(doc: Doc, { index }: Unwind, value: Long | null): Doc {
  return index === undefined ? doc : withValue(doc, index.split('.'), value);
}

function parse(spec: unknown): Unwind {
  const { path, includeArrayIndex, preserveNullAndEmptyArrays, ...others } = isDoc(spec)
    ? spec
    : { path: spec };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new CommandError(28811, `unrecognized option to $unwind stage: ${unknown}`);
  if (typeof path !== 'string')
    throw new CommandError(28808, 'expected a string as the path for $unwind stage');
  if (!path.startsWith('$'))
    throw new CommandError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  if (preserveNullAndEmptyArrays !== undefined && typeof preserveNullAndEmptyArrays !== 'boolean')
    throw new CommandError(
      28809,
      'expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage',
    );
  if (includeArrayIndex !== undefined && (typeof includeArrayIndex !== 'string' || includeArrayIndex === ''))
    throw new CommandError(
      28810,
      'expected a non-empty string for the includeArrayIndex option to $unwind stage',
    );
  if (includeArrayIndex?.startsWith('$'))
    throw new CommandError(
      28822,
      `includeArrayIndex option to $unwind stage should not be prefixed with a '$'`,
    );
  return {
    path: path.slice(1).split('.'),
    index: includeArrayIndex,
    preserve: preserveNullAndEmptyArrays === true,
  };
}
