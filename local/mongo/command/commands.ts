import { aggregate } from './aggregate.js';
import { collMod } from './coll-mod.js';
import type { Command } from './command.js';
import { configureFailPoint } from './configure-fail-point.js';
import { count, distinct } from './count.js';
import { create, drop, dropDatabase, listCollections, renameCollection } from './ddl.js';
import { deleteCommand } from './delete.js';
import * as diagnostics from './diagnostics.js';
import { explainCommand } from './explain.js';
import { find } from './find.js';
import { findAndModify } from './find-and-modify.js';
import { getMore, killCursors } from './get-more.js';
import { hello } from './hello.js';
import { createIndexes, dropIndexes, listIndexes } from './indexes.js';
import { insert } from './insert.js';
import { endSessions, killAllSessions, refreshSessions, startSession } from './sessions.js';
import { abortTransaction, commitTransaction } from './transactions.js';
import { update } from './update.js';

/** Every command of this server by its name, the first field of its document. */
export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['hello', hello],
  ['isMaster', hello],
  ['ismaster', hello],
  ['insert', insert],
  ['find', find],
  ['getMore', getMore],
  ['killCursors', killCursors],
  ['update', update],
  ['delete', deleteCommand],
  ['findAndModify', findAndModify],
  ['findandmodify', findAndModify],
  ['aggregate', aggregate],
  ['count', count],
  ['distinct', distinct],
  ['createIndexes', createIndexes],
  ['listIndexes', listIndexes],
  ['dropIndexes', dropIndexes],
  ['deleteIndexes', dropIndexes],
  ['collMod', collMod],
  ['create', create],
  ['drop', drop],
  ['dropDatabase', dropDatabase],
  ['renameCollection', renameCollection],
  ['listCollections', listCollections],
  ['explain', explainCommand((name) => commands.get(name)?.fields)],
  ['startSession', startSession],
  ['endSessions', endSessions],
  ['killSessions', endSessions],
  ['killAllSessions', killAllSessions],
  ['refreshSessions', refreshSessions],
  ['commitTransaction', commitTransaction],
  ['abortTransaction', abortTransaction],
  ['configureFailPoint', configureFailPoint],
  ['ping', diagnostics.ping],
  ['buildInfo', diagnostics.buildInfo],
  ['buildinfo', diagnostics.buildInfo],
  ['connectionStatus', diagnostics.connectionStatus],
  ['serverStatus', diagnostics.serverStatus],
  ['getParameter', diagnostics.getParameter],
  ['listDatabases', diagnostics.listDatabases],
  ['dbStats', diagnostics.dbStats],
  ['collStats', diagnostics.collStats],
  ['collstats', diagnostics.collStats],
]);
