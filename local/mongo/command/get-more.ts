import { Long } from 'bson';
import { typeOf } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import type { Command } from './command.js';
import { listOf } from './fields.js';
import { nonNegative } from './find.js';

/** `getMore` returns the next batch of an open cursor. */
export const getMore: Command = {
  fields: { 'collection!': 'string', batchSize: 'number' },
  transactional: true,
  run: ({ body, cursors, database, sessionId }) => {
    const batchSize = nonNegative('batchSize', body.batchSize ?? 0) || Number.MAX_SAFE_INTEGER;
    const namespace = `${database}.${body.collection}`;
    return { cursor: cursors.next(cursorId(body.getMore), namespace, batchSize, sessionId) };
  },
};

function cursorId(id: unknown): Long {
  if (id instanceof Long) return id;
  throw new CommandError(
    14,
    `BSON field 'getMore.getMore' is the wrong type '${typeOf(id)}', expected type 'long'`,
  );
}

export const killCursors: Command = {
  fields: { 'cursors!': 'array' },
  transactional: true,
  run: ({ body, cursors }) => {
    const ids = listOf(body, 'cursors').filter((id) => id instanceof Long);
    const killed = ids.filter((id) => cursors.kill(id));
    const notFound = ids.filter((id) => !killed.includes(id));
    return { cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [] };
  },
};
