import type { Doc } from '../bson/decode.js';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';

/** The commands of this server in MongoDB's stable API, version 1. */
const VERSION_1 = new Set([
  'abortTransaction',
  'aggregate',
  'commitTransaction',
  'count',
  'create',
  'createIndexes',
  'delete',
  'drop',
  'dropDatabase',
  'dropIndexes',
  'endSessions',
  'explain',
  'find',
  'findAndModify',
  'getMore',
  'hello',
  'insert',
  'killCursors',
  'listCollections',
  'listDatabases',
  'listIndexes',
  'ping',
  'refreshSessions',
  'update',
]);

/** The aggregation stages outside the stable API. */
const UNVERSIONED_STAGES = [
  '$listLocalSessions',
  '$listSessions',
  '$currentOp',
  '$indexStats',
  '$planCacheStats',
];

/** The fields of `find` outside the stable API. */
const UNVERSIONED_FIELDS = ['min', 'max', 'noCursorTimeout', 'oplogReplay', 'returnKey', 'showRecordId'];

/** Checks `apiVersion`. With `apiStrict`, checks that the command, its fields and its stages are in the stable API. */
export function checkApiVersion(name: string, body: Doc): void {
  const { apiVersion, apiStrict, apiDeprecationErrors, pipeline } = body;
  if (apiVersion === undefined) {
    if (apiStrict === undefined && apiDeprecationErrors === undefined) return;
    throw new CommandError(322, 'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion');
  }
  if (apiVersion !== '1') throw new CommandError(322, 'API version must be "1"');
  if (!apiStrict) return;
  if (!VERSION_1.has(name))
    throw new CommandError(323, `Provided apiStrict:true, but the command ${name} is not in API Version 1`);
  const field = name === 'find' && UNVERSIONED_FIELDS.find((one) => body[one] !== undefined);
  if (field)
    throw new CommandError(
      323,
      `Provided apiStrict:true, but the field '${field}' of the command find is not in API Version 1`,
    );
  const stages = name === 'aggregate' && Array.isArray(pipeline) ? pipeline.filter(isDoc) : [];
  const stage = UNVERSIONED_STAGES.find((one) => stages.some((given) => Object.hasOwn(given, one)));
  if (stage !== undefined)
    throw new CommandError(323, `stage ${stage} is not allowed with 'apiStrict: true' in API Version 1`);
}
