import { isDoc, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { Collection } from '../../storage/collection.js';
import { CommittedView } from '../../storage/committed-view.js';
import type { CommandContext } from '../command.js';
import { requireNoTransaction } from '../ddl.js';
import { requireSupported } from '../unsupported.js';
import { insertInto } from './insert-into.js';
import { type Output, requireKnown, type Target, targetOf } from './target.js';

/**
 * Replaces a collection with the results of `$out` in one step. The indexes stay. An error, such as a duplicate unique
 * key, leaves the collection as it was.
 */
export function replaceCollection(context: CommandContext, spec: unknown): Output {
  if (typeof spec !== 'string' && !isDoc(spec))
    throw new CommandError(
      16990,
      `$out only supports a string or object argument, but found ${typeOf(spec)}`,
    );
  if (isDoc(spec)) {
    requireKnown('$out', spec, ['db', 'coll', 'timeseries']);
    requireSupported(spec, ['timeseries']);
    if (spec.db === undefined)
      throw new CommandError(40414, "BSON field '$out.db' is missing but a required field");
  }
  const target = targetOf(context, '$out', spec, { collection: 17385, database: 31321 });
  requireNoView(context, target);
  return async (docs) => {
    const { catalog } = context;
    const made = copyOf(catalog.find(target.database, target.name), target.name);
    const view = new CommittedView(made, namespaceOf(target), new Set(), undefined);
    for (const doc of docs) insertInto(view, doc, context);
    const replaced = catalog.find(target.database, target.name);
    if (replaced !== undefined) {
      await requireNoTransaction(context, replaced);
      catalog.drop(target.database, target.name);
    }
    catalog.add(target.database, made);
  };
}

/** Returns an empty collection with the same options and indexes. */
function copyOf(collection: Collection | undefined, name: string): Collection {
  const copy = new Collection(name, collection?.options);
  for (const { definition } of collection?.indexes.values() ?? []) {
    if (definition.name !== '_id_') copy.addIndex(definition);
  }
  return copy;
}

function requireNoView({ catalog }: CommandContext, target: Target): void {
  if (catalog.find(target.database, target.name)?.options.viewOn === undefined) return;
  throw new CommandError(166, `Namespace ${namespaceOf(target)} is a view, not a collection`);
}

function namespaceOf({ database, name }: Target): string {
  return `${database}.${name}`;
}
