import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/to-number.js';
import { isDoc } from '../bson/type-of.js';
import type { ResultDoc } from '../cursors.js';
import { CommandError } from '../errors.js';
import { findMatches, type Match } from '../plan/find-matches.js';
import type { QuerySpec } from '../plan/query-spec.js';
import { fieldsOfProjection } from '../query/fields-read.js';
import { compileProjection } from '../query/find-projection.js';
import { encode } from '../wire/message.js';
import { type Command, type CommandContext, collectionName, environmentOf, viewOf } from './command.js';
import { docOf } from './fields.js';
import { requireSupported } from './unsupported.js';

const DEFAULT_BATCH = 101;

/** `find` supports filter, sort, skip, limit and projection. `getMore` brings further batches. */
export const find: Command = {
  fields: {
    filter: 'object',
    sort: 'object',
    projection: 'object',
    hint: 'objectOrString',
    skip: 'number',
    limit: 'number',
    batchSize: 'number',
    singleBatch: 'bool',
    let: 'object',
    allowDiskUse: 'bool',
    allowPartialResults: 'bool',
    noCursorTimeout: 'bool',
    tailable: 'bool',
    awaitData: 'bool',
    oplogReplay: 'bool',
    returnKey: 'bool',
    showRecordId: 'bool',
    min: 'object',
    max: 'object',
    collation: 'object',
  },
  transactional: true,
  run: (context) => {
    const { body, cursors, database, sessionId } = context;
    requireSupported(body, ['collation', 'tailable', 'awaitData', 'returnKey', 'showRecordId']);
    const name = collectionName(context, 'find');
    const batchSize = body.batchSize === undefined ? DEFAULT_BATCH : nonNegative('batchSize', body.batchSize);
    const results = resultsOf(context, name);
    const single = body.singleBatch === true;
    return { cursor: cursors.first(`${database}.${name}`, results, batchSize, sessionId, single) };
  },
};

function resultsOf(context: CommandContext, name: string): Iterable<ResultDoc> {
  const spec = findQuery(context);
  const projection = docOf(context.body, 'projection');
  const matches = findMatches(viewOf(context, name), spec);
  if (Object.keys(projection).length === 0) return storedDocs(matches);
  return projectedDocs(matches, compileProjection(projection, spec.filter, spec.environment));
}

/** Turns a find into a query. */
export function findQuery(context: CommandContext): QuerySpec {
  const { body } = context;
  const { min, max } = body;
  const projection = docOf(body, 'projection');
  return {
    filter: docOf(body, 'filter'),
    sort: docOf(body, 'sort'),
    hint: body.hint,
    ...((isDoc(min) || isDoc(max)) && {
      ends: { ...(isDoc(min) && { min }), ...(isDoc(max) && { max }) },
    }),
    skip: nonNegative('skip', body.skip ?? 0),
    limit: nonNegative('limit', body.limit ?? 0),
    projected: Object.keys(projection).length > 0,
    // Without a projection a document is returned as it is stored.
    read: Object.keys(projection).length > 0 ? fieldsOfProjection(projection) : [],
    environment: environmentOf(context),
  };
}

function* storedDocs(matches: Iterable<Match>): Generator<ResultDoc> {
  for (const { stored } of matches) yield stored;
}

function* projectedDocs(matches: Iterable<Match>, project: (doc: Doc) => Doc): Generator<ResultDoc> {
  for (const { doc } of matches) yield encode(project(doc));
}

/** Returns the number in a field of a command. Throws 51024 if it is negative. */
export function nonNegative(field: string, value: unknown): number {
  const number = Math.trunc(toNumber(value));
  if (number >= 0) return number;
  throw new CommandError(51024, `BSON field '${field}' value must be >= 0, actual value '${number}'`);
}
