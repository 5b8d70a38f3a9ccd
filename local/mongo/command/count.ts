import type { Doc } from '../bson/decode.js';
import { toNumber } from '../bson/numbers.js';
import { anyValueAt } from '../bson/path.js';
import { findMatches } from '../plan/find-matches.js';
import { keyString } from '../storage/key-string.js';
import { type Command, type CommandContext, collectionName, environmentOf, viewOf } from './command.js';
import { nonNegative } from './find.js';
import { requireSupported } from './unsupported.js';

/** `count`: how many documents match. */
export const count: Command = {
  fields: {
    query: 'object',
    limit: 'number',
    skip: 'number',
    hint: 'objectOrString',
    collation: 'object',
    fields: 'object',
  },
  transactional: false,
  run: (context) => {
    const { body } = context;
    requireSupported(body, ['collation']);
    const view = viewOf(context, collectionName(context, 'count'));
    const limit = Math.abs(toNumber(body.limit ?? 0));
    const skip = nonNegative('skip', body.skip ?? 0);
    const query = (body.query ?? {}) as Doc;
    if (Object.keys(query).length === 0 && body.hint === undefined) {
      const left = Math.max(0, view.count - skip);
      return { n: limit > 0 ? Math.min(limit, left) : left };
    }
    let n = 0;
    for (const _ of findMatches(view, {
      filter: query,
      sort: {},
      hint: body.hint,
      skip,
      limit,
      environment: environmentOf(context),
    }))
      n += 1;
    return { n };
  },
};

/** `distinct`: the different values of a field, those within arrays each by itself. */
export const distinct: Command = {
  fields: { 'key!': 'string', query: 'object', collation: 'object', hint: 'objectOrString' },
  transactional: true,
  run: (context) => {
    requireSupported(context.body, ['collation']);
    return { values: distinctValues(context) };
  },
};

function distinctValues(context: CommandContext): unknown[] {
  const { body } = context;
  const view = viewOf(context, collectionName(context, 'distinct'));
  const path = String(body.key).split('.');
  const values = new Map<string, unknown>();
  const matches = findMatches(view, {
    filter: (body.query ?? {}) as Doc,
    sort: {},
    hint: body.hint,
    skip: 0,
    limit: 0,
    environment: environmentOf(context),
  });
  for (const { doc } of matches) {
    anyValueAt(doc, path, 'whole', (value) => {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) values.set(keyString([one], [1]), one);
      }
      return false;
    });
  }
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
