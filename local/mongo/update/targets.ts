import type { Doc } from '../bson/decode.js';
import { matchedPositions, valueAt } from '../bson/path.js';
import { shellText } from '../bson/shell-text.js';
import { CommandError } from '../errors.js';

/** Tests of array elements by the identifier in `$[identifier]`. */
export type ElementFilters = ReadonlyMap<string, (element: unknown) => boolean>;

/** Resolves `$`, `$[]` and `$[identifier]` in a path of an update. Returns the plain paths for one document. */
export function targetsOf(doc: Doc, path: readonly string[], filters: ElementFilters): string[][] {
  let targets: string[][] = [[]];
  for (const part of path) targets = targets.flatMap((target) => extend(doc, target, part, filters));
  return targets;
}

/** Returns whether a component of a path is positional. */
export function isPositional(part: string): boolean {
  return part === '$' || (part.startsWith('$[') && part.endsWith(']'));
}

function extend(doc: Doc, target: string[], part: string, filters: ElementFilters): string[][] {
  if (!isPositional(part)) return [[...target, part]];
  if (part === '$') return [[...target, String(matchedPosition(target))]];
  const array = arrayAt(doc, target);
  const accepts = filters.get(part.slice(2, -1));
  return array.flatMap((element, i) =>
    accepts === undefined || accepts(element) ? [[...target, String(i)]] : [],
  );
}

function matchedPosition(target: readonly string[]): number {
  const position = matchedPositions.get(target.join('.')) ?? [...matchedPositions.values()].at(-1);
  if (position === undefined) {
    throw new CommandError(2, 'The positional operator did not find the match needed from the query.');
  }
  return position;
}

function arrayAt(doc: Doc, target: readonly string[]): readonly unknown[] {
  const path = target.join('.');
  const value = valueAt(doc, path);
  if (Array.isArray(value)) return value;
  if (value === undefined) {
    throw new CommandError(
      2,
      `The path '${path}' must exist in the document in order to apply array updates.`,
    );
  }
  throw new CommandError(
    2,
    `Cannot apply array updates to non-array element ${target.at(-1)}: ${shellText(value)}`,
  );
}
