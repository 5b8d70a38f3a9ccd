import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc, isNumeric } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { truthy } from '../query/truth.js';
import { type Command, collectionName } from './command.js';
import { requireNoTransaction } from './ddl.js';
import { checkNested } from './fields.js';
import { indexMatching } from './index-lookup.js';

/** `collMod` changes an index's expiry, or hides the index from queries. Without an index, it only takes the lock. */
export const collMod: Command = {
  fields: { index: 'object' },
  transactional: false,
  run: async (context) => {
    const { body, catalog, database } = context;
    const name = collectionName(context, 'collMod');
    const collection = catalog.find(database, name);
    if (collection === undefined) throw new CommandError(26, `ns does not exist: ${database}.${name}`);
    if (body.index === undefined) {
      await requireNoTransaction(context, collection);
      return {};
    }
    const change = isDoc(body.index) ? body.index : {};
    checkNested('collMod.index', change, {
      name: 'string',
      keyPattern: 'object',
      expireAfterSeconds: 'number',
      hidden: 'bool',
    });
    const wanted = change.name ?? change.keyPattern;
    const index =
      typeof wanted === 'string' || isDoc(wanted) ? indexMatching(collection.indexes, wanted) : undefined;
    if (index === undefined) throw new CommandError(27, 'cannot find index for collMod');
    await requireNoTransaction(context, collection);
    const { definition } = index;
    index.definition = {
      ...definition,
      ...optionsOf(change),
      spec: { ...definition.spec, ...optionsOf(change) },
    };
    return previous(definition.spec, change);
  },
};

function optionsOf({ expireAfterSeconds, hidden }: Doc): { expireAfterSeconds?: number; hidden?: boolean } {
  return {
    ...(isNumeric(expireAfterSeconds) && { expireAfterSeconds: toNumber(expireAfterSeconds) }),
    ...(hidden !== undefined && { hidden: truthy(hidden) }),
  };
}

function previous(spec: Doc, change: Doc): Doc {
  const options = Object.keys(optionsOf(change));
  return Object.fromEntries(
    options.flatMap((name) => [
      [`${name}_old`, spec[name]],
      [`${name}_new`, change[name]],
    ]),
  );
}
