import type { Long } from 'bson';
import { typeOf } from '../bson/type-of.js';
import type { Command } from './command.js';
import { nonNegative } from './find.js';

/** `getMore`: the next batch of an open cursor. */
export const getMore: Command = {
  fields: { 'collection!': 'string', batchSize: 'number' },
  transactional: true,
  run: ({ body, cursors, database, sessionId }) => {
    const batchSize = nonNegative('batchSize', body.batchSize ?? 0) || Number.MAX_SAFE_INTEGER;
    const namespace = `${database}.${body.collection}`;
    return { cursor: cursors.next(body.getMore as Long, namespace, batchSize, sessionId) };
  },
};

/** `killCursors`: closes cursors. */
export const killCursors: Command = {
  fields: { 'cursors!': 'array' },
  transactional: true,
  run: ({ body, cursors }) => {
    const ids = (body.cursors as unknown[]).filter((id): id is Long => typeOf(id) === 'long');
    const killed = ids.filter((id) => cursors.kill(id));
    const notFound = ids.filter((id) => !killed.includes(id));
    return { cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [] };
  },
};
