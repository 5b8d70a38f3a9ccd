import type { Doc } from '../../bson/decode.js';
import { valueAt } from '../../bson/path.js';
import { CommandError } from '../../errors.js';
import { findMatches } from '../../plan/find-matches.js';
import { evaluate } from '../../query/evaluation.js';
import { compileUpdatePipeline } from '../../query/pipeline.js';
import type { View } from '../../storage/view.js';
import { updateDocs } from '../../update/update-docs.js';
import { type CommandContext, environmentOf } from '../command.js';
import { runStatement } from '../write.js';
import { insertInto } from './insert-into.js';
import { type MergeSpec, parseMerge } from './merge-spec.js';
import type { Output } from './target.js';

/** Merges the results of `$merge` into a collection, one after the other. An error leaves the earlier ones merged. */
export function mergeInto(context: CommandContext, given: unknown): Output {
  const spec = parseMerge(context, given);
  const { target, on, whenMatched } = spec;
  if (typeof whenMatched !== 'string') compileUpdatePipeline(whenMatched, environmentOf(context));
  requireUnique(context, spec);
  return async (docs) => {
    for (const given of docs) {
      const isNew = on.includes('_id') && given._id === undefined;
      const doc = isNew ? { _id: context.server.newObjectId(), ...given } : given;
      await runStatement({ ...context, database: target.database }, target.name, (view) =>
        mergeOne(view, context, spec, doc),
      );
    }
  };
}

/** Throws unless a unique index over all documents has exactly these fields, in any order. */
function requireUnique({ catalog }: CommandContext, { target, on }: MergeSpec): void {
  if (on.length === 1 && on[0] === '_id') return;
  const indexes = [...(catalog.find(target.database, target.name)?.indexes.values() ?? [])];
  const isUnique = indexes.some(
    ({ definition: { unique, partial, fields } }) =>
      unique && !partial && fields.length === on.length && fields.every(({ path }) => on.includes(path)),
  );
  if (!isUnique) throw new CommandError(51183, 'Cannot find index to verify that join fields will be unique');
}

function mergeOne(view: View, context: CommandContext, spec: MergeSpec, doc: Doc): void {
  const { whenMatched, whenNotMatched } = spec;
  const filter = sameBy(spec.on, doc);
  if (whenMatched !== 'fail' && change(view, context, spec, doc, filter)) return;
  if (whenNotMatched === 'insert') insertInto(view, doc, context);
  if (whenNotMatched === 'fail') {
    throw new CommandError(
      13113,
      '$merge could not find a matching document in the target collection for at least one document in the source collection',
    );
  }
}

function sameBy(on: readonly string[], doc: Doc): Doc {
  const conditions = on.map((path) => {
    const value = valueAt(doc, path) ?? null;
    if (value === null)
      throw new CommandError(
        51132,
        `$merge write error: 'on' field '${path}' cannot be missing, null or undefined`,
      );
    if (Array.isArray(value))
      throw new CommandError(51185, `$merge write error: 'on' field '${path}' cannot be an array`);
    return [path, { $eq: value }];
  });
  return Object.fromEntries(conditions);
}

/** Changes the document that matches a result. Returns false if none does. */
function change(view: View, context: CommandContext, spec: MergeSpec, doc: Doc, filter: Doc): boolean {
  const environment = environmentOf(context);
  const query = { filter, sort: {}, hint: undefined, environment };
  if (spec.whenMatched === 'keepExisting') {
    return [...findMatches(view, { ...query, skip: 0, limit: 1 })].length > 0;
  }
  const values = Object.entries(spec.variables).map(([name, value]) => [
    name,
    evaluate(value, doc, environment) ?? null,
  ]);
  const { matched } = updateDocs(view, {
    ...query,
    update: updateBy(spec.whenMatched, doc),
    arrayFilters: undefined,
    multi: false,
    upsert: false,
    environment: { ...environment, variables: { ...environment.variables, ...Object.fromEntries(values) } },
    makeId: () => context.server.newObjectId(),
  });
  return matched > 0;
}

function updateBy(whenMatched: MergeSpec['whenMatched'], doc: Doc): unknown {
  if (typeof whenMatched !== 'string') return whenMatched;
  return whenMatched === 'merge' ? { $set: doc } : doc;
}
