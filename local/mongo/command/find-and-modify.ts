import type { Doc } from '../bson/decode.js';
import { CommandError } from '../errors.js';
import { findMatches } from '../plan/find-matches.js';
import type { QuerySpec } from '../plan/query-spec.js';
import { compileProjection } from '../query/find-projection.js';
import type { View } from '../storage/view.js';
import { updateDocs } from '../update/update-docs.js';
import { type Command, type CommandContext, collectionName, environmentOf } from './command.js';
import { docOf, listOf } from './fields.js';
import { requireSupported } from './unsupported.js';
import { once, runStatement, statementId } from './write.js';

/** `findAndModify` changes, inserts or removes one document, and returns its state before or after the change. */
export const findAndModify: Command = {
  fields: {
    query: 'object',
    sort: 'object',
    remove: 'bool',
    update: 'objectOrArray',
    new: 'bool',
    fields: 'object',
    upsert: 'bool',
    bypassDocumentValidation: 'bool',
    collation: 'object',
    arrayFilters: 'array',
    hint: 'objectOrString',
    let: 'object',
  },
  transactional: true,
  run: async (context) => {
    const { body } = context;
    requireSupported(body, ['collation']);
    requireConsistent(body);
    const collection = collectionName(
      context,
      body.findAndModify === undefined ? 'findandmodify' : 'findAndModify',
    );
    const change = body.remove ? removeOne : updateOne;
    const { outcome, repeated } = await once(context, statementId(context, 0), () =>
      runStatement(context, collection, (view) => change(context, view)),
    );
    return repeated ? { ...outcome, retriedStmtId: statementId(context, 0) } : outcome;
  },
};

function requireConsistent(body: Doc): void {
  if (!body.remove && body.update === undefined)
    throw new CommandError(9, 'Either an update or remove=true must be specified');
  if (!body.remove) return;
  if (body.update !== undefined) throw new CommandError(9, 'Cannot specify both an update and remove=true');
  if (body.upsert) throw new CommandError(9, 'Cannot specify both upsert=true and remove=true');
  if (body.new) {
    throw new CommandError(
      9,
      "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
    );
  }
  if (body.arrayFilters) throw new CommandError(9, 'Cannot specify arrayFilters and remove=true');
}

function removeOne(context: CommandContext, view: View): Doc {
  const [match] = findMatches(view, modifyQuery(context));
  if (match) view.remove(match.id, match.doc);
  return { lastErrorObject: { n: match ? 1 : 0 }, value: projected(context, match?.doc) };
}

/** Turns a findAndModify into a query. */
export function modifyQuery(context: CommandContext): QuerySpec {
  const { body } = context;
  return {
    filter: filterOf(body),
    sort: docOf(body, 'sort'),
    hint: body.hint,
    skip: 0,
    limit: 1,
    environment: environmentOf(context),
  };
}

function updateOne(context: CommandContext, view: View): Doc {
  const { body, server } = context;
  const { matched, upserted, before, after } = updateDocs(view, {
    ...modifyQuery(context),
    update: body.update,
    arrayFilters: body.arrayFilters === undefined ? undefined : listOf(body, 'arrayFilters'),
    multi: false,
    upsert: Boolean(body.upsert),
    makeId: () => server.newObjectId(),
  });
  return {
    lastErrorObject: {
      n: matched + (upserted ? 1 : 0),
      updatedExisting: matched > 0,
      ...(upserted && { upserted: upserted._id }),
    },
    value: projected(context, body.new ? after : before),
  };
}

function filterOf(body: Doc): Doc {
  return docOf(body, 'query');
}

function projected(context: CommandContext, doc: Doc | undefined): Doc | null {
  if (doc === undefined) return null;
  const fields = docOf(context.body, 'fields');
  if (Object.keys(fields).length === 0) return doc;
  return compileProjection(fields, filterOf(context.body), environmentOf(context))(doc);
}
