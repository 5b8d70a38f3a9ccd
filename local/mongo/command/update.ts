import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { type UpdateOutcome, type UpdateSpec, updateDocs } from '../update/update-docs.js';
import { type Command, type CommandContext, collectionName, environmentOf } from './command.js';
import { checkNested, docOf, type Fields, listOf } from './fields.js';
import { requireSupported } from './unsupported.js';
import { once, requireStatements, runStatement, runStatements, statementId } from './write.js';

const STATEMENT: Fields = {
  'q!': 'object',
  'u!': 'objectOrArray',
  c: 'object',
  multi: 'bool',
  upsert: 'bool',
  arrayFilters: 'array',
  collation: 'object',
  hint: 'objectOrString',
};

/** `update` changes the first or all matching documents for each statement, or inserts a document. */
export const update: Command = {
  fields: { 'updates!': 'array', ordered: 'bool', bypassDocumentValidation: 'bool', let: 'object' },
  transactional: true,
  run: async (context) => {
    const statements = listOf(context.body, 'updates');
    requireStatements(statements);
    const specs = statements.map((statement) => specOf(context, statement));
    const collection = collectionName(context, 'update');
    const totals = { n: 0, nModified: 0 };
    const upserted: Doc[] = [];
    const retried: number[] = [];
    const writeErrors = await runStatements(context, specs, async (spec, index) => {
      const id = statementId(context, index);
      const { outcome, repeated } = await once(context, id, () => execute(context, collection, spec));
      totals.n += outcome.matched + (outcome.upserted ? 1 : 0);
      totals.nModified += outcome.modified;
      if (outcome.upserted) upserted.push({ index, _id: outcome.upserted._id });
      if (repeated) retried.push(id);
    });
    return {
      ...totals,
      ...(upserted.length > 0 && { upserted }),
      ...(writeErrors.length > 0 && { writeErrors }),
      ...(retried.length > 0 && { retriedStmtIds: retried }),
    };
  },
};

function specOf(context: CommandContext, statement: unknown): () => UpdateSpec {
  if (!isDoc(statement)) throw new CommandError(14, 'update statements must be objects');
  checkNested('update.updates', statement, STATEMENT);
  requireSupported(statement, ['collation']);
  if (statement.multi && context.retryable) {
    throw new CommandError(72, 'Cannot use retryable writes with multi=true');
  }
  return () => updateSpec(context, statement);
}

/** Returns the query and the change of one statement of an update. */
export function updateSpec(context: CommandContext, statement: Doc): UpdateSpec {
  const constants = isDoc(statement.c) ? { ...asDoc(context.body.let), ...statement.c } : context.body.let;
  return {
    filter: docOf(statement, 'q'),
    update: statement.u,
    arrayFilters: statement.arrayFilters === undefined ? undefined : listOf(statement, 'arrayFilters'),
    multi: Boolean(statement.multi),
    upsert: Boolean(statement.upsert),
    hint: statement.hint,
    sort: {},
    environment: environmentOf(context, constants),
    makeId: () => context.server.newObjectId(),
  };
}

function asDoc(value: unknown): Doc {
  return isDoc(value) ? value : {};
}

function execute(
  context: CommandContext,
  collection: string,
  spec: () => UpdateSpec,
): Promise<UpdateOutcome> {
  return runStatement(context, collection, (view) => updateDocs(view, spec()));
}
