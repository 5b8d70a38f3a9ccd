import { Binary, UUID } from 'bson';
import { isDoc } from '../bson/type-of.js';
import { CommandError } from '../errors.js';
import type { Command } from './command.js';
import { abort } from './transactions.js';

/** `startSession` returns a new session id. Drivers make their own instead. */
export const startSession: Command = {
  fields: {},
  transactional: false,
  run: () => ({ id: { id: new UUID() }, timeoutMinutes: 30 }),
};

/** `endSessions` ends sessions, with their cursors and open transactions. */
export const endSessions: Command = {
  fields: {},
  transactional: false,
  run: ({ body, sessions, cursors }) => {
    const [ids] = Object.values(body);
    for (const id of Array.isArray(ids) ? ids : []) {
      const key = sessionKey(id);
      const transaction = sessions.get(key)?.transaction;
      if (transaction) abort(transaction);
      sessions.delete(key);
      cursors.killSession(key);
    }
    return {};
  },
};

/** `killAllSessions: []` aborts open transactions and closes cursors of all sessions. */
export const killAllSessions: Command = {
  fields: {},
  transactional: false,
  run: ({ body, sessions, cursors }) => {
    const { killAllSessions: users } = body;
    if (!Array.isArray(users) || users.length > 0)
      throw new CommandError(238, 'killAllSessions of named users is not supported by this server');
    for (const [key, { transaction }] of sessions) {
      if (transaction) abort(transaction);
      cursors.killSession(key);
    }
    return {};
  },
};

/** Returns a session's id as a string. Throws if it is not a UUID. */
export function sessionKey(lsid: unknown): string {
  const id = isDoc(lsid) ? lsid.id : undefined;
  if (id instanceof Binary && id.length() === 16) return id.toString('hex');
  throw new CommandError(14, 'the session id must be a UUID');
}

/** `refreshSessions` does nothing, because sessions do not expire while the server runs. */
export const refreshSessions: Command = { fields: {}, transactional: false, run: () => ({}) };
