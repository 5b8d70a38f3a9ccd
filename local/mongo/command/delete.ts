import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import { findMatches } from '../plan/find-matches.js';
import type { QuerySpec } from '../plan/query-spec.js';
import { together } from '../query/fields-read.js';
import { type Command, type CommandContext, collectionName, environmentOf } from './command.js';
import { checkNested, docOf, type Fields, listOf } from './fields.js';
import { requireSupported } from './unsupported.js';
import { once, requireStatements, runStatement, runStatements, statementId } from './write.js';

const STATEMENT: Fields = { 'q!': 'object', 'limit!': 'number', collation: 'object', hint: 'objectOrString' };

/** `delete` removes the first or all matching documents for each statement. */
export const deleteCommand: Command = {
  fields: { 'deletes!': 'array', ordered: 'bool', let: 'object' },
  transactional: true,
  run: async (context) => {
    const statements = listOf(context.body, 'deletes').map((statement) => checked(context, statement));
    requireStatements(statements);
    const collection = collectionName(context, 'delete');
    let n = 0;
    const retried: number[] = [];
    const writeErrors = await runStatements(context, statements, async (statement, i) => {
      const id = statementId(context, i);
      const { outcome, repeated } = await once(context, id, () => execute(context, collection, statement));
      n += outcome;
      if (repeated) retried.push(id);
    });
    return {
      n,
      ...(writeErrors.length > 0 && { writeErrors }),
      ...(retried.length > 0 && { retriedStmtIds: retried }),
    };
  },
};

function checked(context: CommandContext, statement: unknown): Doc {
  if (!isDoc(statement)) throw new CommandError(14, 'delete statements must be objects');
  checkNested('delete.deletes', statement, STATEMENT);
  requireSupported(statement, ['collation']);
  const limit = toNumber(statement.limit);
  if (limit !== 0 && limit !== 1) {
    throw new CommandError(9, `The limit field in delete objects must be 0 or 1. Got ${limit}`);
  }
  if (limit === 0 && context.retryable)
    throw new CommandError(72, 'Cannot use retryable writes with limit=0');
  return statement;
}

function execute(context: CommandContext, collection: string, statement: Doc): Promise<number> {
  return runStatement(context, collection, (view) => {
    const indexed = together(...[...view.indexes.values()].map(({ looksAt }) => looksAt));
    const found = [...findMatches(view, { ...deleteQuery(context, statement), read: indexed })];
    for (const { id, doc } of found) view.remove(id, doc);
    return found.length;
  });
}

/** Turns one statement of a delete into a query. */
export function deleteQuery(context: CommandContext, statement: Doc): QuerySpec {
  return {
    filter: docOf(statement, 'q'),
    sort: {},
    hint: statement.hint,
    skip: 0,
    limit: toNumber(statement.limit),
    environment: environmentOf(context),
  };
}
