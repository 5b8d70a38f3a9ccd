import type { Doc } from '../bson/decode.js';
import { CommandError } from '../errors.js';

/** The commands of this server that belong to MongoDB's stable API, version 1. */
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

/** Checks `apiVersion` and, with `apiStrict`, that the command belongs to it. */
export function checkApiVersion(name: string, { apiVersion, apiStrict, apiDeprecationErrors }: Doc): void {
  if (apiVersion === undefined) {
    if (apiStrict === undefined && apiDeprecationErrors === undefined) return;
    throw new CommandError(322, 'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion');
  }
  if (apiVersion !== '1') throw new CommandError(322, 'API version must be "1"');
  if (!apiStrict || VERSION_1.has(name)) return;
  throw new CommandError(323, `Provided apiStrict:true, but the command ${name} is not in API Version 1`);
}
