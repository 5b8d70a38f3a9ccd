import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/numbers.js';
import type { ResultDoc } from '../cursors.js';
import { CommandError } from '../errors.js';
import { findMatches } from '../plan/find-matches.js';
import { compileProjection } from '../query/find-projection.js';
import { store } from '../storage/stored.js';
import { type Command, type CommandContext, collectionName, environmentOf, viewOf } from './command.js';
import { requireSupported } from './unsupported.js';

const DEFAULT_BATCH = 101;

/** `find`: filter, sort, skip, limit, projection; further batches by `getMore`. */
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
    requireSupported(body, ['collation', 'tailable', 'awaitData', 'returnKey', 'showRecordId', 'min', 'max']);
    const name = collectionName(context, 'find');
    const batchSize = body.batchSize === undefined ? DEFAULT_BATCH : nonNegative('batchSize', body.batchSize);
    const limit = nonNegative('limit', body.limit ?? 0);
    const results = resultsOf(context, name, limit);
    const single = body.singleBatch === true;
    return { cursor: cursors.first(`${database}.${name}`, results, batchSize, sessionId, single) };
  },
};

function* resultsOf(context: CommandContext, name: string, limit: number): Generator<ResultDoc> {
  const { body } = context;
  const environment = environmentOf(context);
  const spec = (body.projection ?? {}) as Doc;
  const project =
    Object.keys(spec).length > 0
      ? compileProjection(spec, (body.filter ?? {}) as Doc, environment)
      : undefined;
  const matches = findMatches(viewOf(context, name), {
    filter: (body.filter ?? {}) as Doc,
    sort: (body.sort ?? {}) as Doc,
    hint: body.hint,
    skip: nonNegative('skip', body.skip ?? 0),
    limit,
    environment,
  });
  for (const { doc, stored } of matches) yield project ? store(project(doc)) : stored;
}

/** A count in a command. Throws 51024 for a negative one. */
export function nonNegative(field: string, value: unknown): number {
  const number = Math.trunc(toNumber(value));
  if (number >= 0) return number;
  throw new CommandError(51024, `BSON field '${field}' value must be >= 0, actual value '${number}'`);
}
