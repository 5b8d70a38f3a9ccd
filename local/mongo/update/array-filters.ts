import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { compileFilter, type Environment } from '../query/evaluation.js';
import type { ElementFilters } from './targets.js';

/** Compiles `arrayFilters`. Throws 9 unless each has exactly one identifier that no other filter has. */
export function compileArrayFilters(filters: readonly unknown[], environment: Environment): ElementFilters {
  const compiled = new Map<string, (element: unknown) => boolean>();
  for (const filter of filters) {
    if (!isDoc(filter)) throw new CommandError(14, 'each array filter must be an object');
    const identifier = identifierOf(filter);
    if (compiled.has(identifier)) {
      throw new CommandError(
        9,
        `Found multiple array filters with the same top-level field name ${identifier}`,
      );
    }
    const matches = compileFilter(filter, environment);
    compiled.set(identifier, (element) => matches({ [identifier]: element }));
  }
  return compiled;
}

function identifierOf(filter: Doc): string {
  const identifiers = new Set(topLevelNames(filter));
  const [identifier] = identifiers;
  if (identifier === undefined)
    throw new CommandError(9, 'Cannot use an expression without a top-level field name in arrayFilters');
  if (identifiers.size > 1) {
    const [first, second] = identifiers;
    throw new CommandError(
      9,
      `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${first}' and '${second}'`,
    );
  }
  if (!/^[a-z][a-zA-Z0-9]*$/.test(identifier)) {
    throw new CommandError(
      2,
      `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${identifier}'`,
    );
  }
  return identifier;
}

function topLevelNames(filter: Doc): string[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (!name.startsWith('$')) return [name.split('.')[0] ?? ''];
    return Array.isArray(value)
      ? value.flatMap((branch) => (isDoc(branch) ? topLevelNames(branch) : []))
      : [];
  });
}

/** Throws if an identifier in a path has no filter, or if a filter is used by no path. */
export function checkIdentifiers(paths: readonly (readonly string[])[], filters: ElementFilters): void {
  const used = new Set<string>();
  for (const path of paths) {
    for (const part of path.filter((one) => one.startsWith('$[') && one !== '$[]')) {
      const identifier = part.slice(2, -1);
      used.add(identifier);
      if (!filters.has(identifier)) {
        throw new CommandError(
          2,
          `No array filter found for identifier '${identifier}' in path '${path.join('.')}'`,
        );
      }
    }
  }
  for (const identifier of filters.keys()) {
    if (!used.has(identifier)) {
      throw new CommandError(9, `The array filter for identifier '${identifier}' was not used in the update`);
    }
  }
}
