import { evalExpr } from 'mingo/core';
import type { Options } from 'mingo/types';
import { type Doc, setField } from '../../bson/decode.js';
import { isDoc } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { keyString } from '../../storage/key-string.js';

/** Groups by the value of `_id` in BSON equality. A missing `_id` value groups as null. */
export function group(docs: readonly Doc[], spec: Doc, options: Options): Doc[] {
  const groups = new Map<string, { id: unknown; members: Doc[] }>();
  for (const doc of docs) {
    const id = evalExpr(doc, spec._id, options) ?? null;
    const key = keyString([id], [1]);
    const found = groups.get(key);
    if (found) found.members.push(doc);
    else groups.set(key, { id, members: [doc] });
  }
  return [...groups.values()].map(({ id, members }) => accumulate(id, members, spec, options));
}

/** Returns the document of one group, with its id and its accumulators' values. A missing value becomes null. */
export function accumulate(id: unknown, members: Doc[], spec: Doc, options: Options): Doc {
  const result: Doc = { _id: id };
  for (const [name, accumulator] of Object.entries(spec)) {
    if (name === '_id') continue;
    if (!isDoc(accumulator) || Object.keys(accumulator).length !== 1) {
      throw new CommandError(40234, `The field '${name}' must be an accumulator object`);
    }
    setField(result, name, evalExpr(members, accumulator, options) ?? null);
  }
  return result;
}
