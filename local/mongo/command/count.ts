import { anyValueAt } from '../bson/path.js';
import { toNumber } from '../bson/to-number.js';
import { findMatches } from '../plan/find-matches.js';
import type { QuerySpec } from '../plan/query-spec.js';
import { keyString } from '../storage/key-string.js';
import type { View } from '../storage/view.js';
import { type Command, type CommandContext, collectionName, environmentOf, viewOf } from './command.js';
import { docOf } from './fields.js';
import { nonNegative } from './find.js';
import { requireSupported } from './unsupported.js';

/** `count` returns the number of matching documents. */
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
    requireSupported(context.body, ['collation']);
    const view = viewOf(context, collectionName(context, 'count'));
    const spec = countQuery(context);
    if (Object.keys(spec.filter).length > 0 || spec.hint !== undefined)
      return { n: countMatches(view, spec) };
    const left = Math.max(0, view.count - spec.skip);
    return { n: spec.limit > 0 ? Math.min(spec.limit, left) : left };
  },
};

/** Turns a count into a query. */
export function countQuery(context: CommandContext): QuerySpec {
  const { body } = context;
  return {
    filter: docOf(body, 'query'),
    sort: {},
    hint: body.hint,
    skip: nonNegative('skip', body.skip ?? 0),
    limit: Math.abs(toNumber(body.limit ?? 0)),
    counted: true,
    read: [],
    environment: environmentOf(context),
  };
}

function countMatches(view: View, spec: QuerySpec): number {
  let n = 0;
  for (const _ of findMatches(view, spec)) n += 1;
  return n;
}

/** `distinct` lists the different values of a field. Each element of an array counts as a value. */
export const distinct: Command = {
  fields: { 'key!': 'string', query: 'object', collation: 'object' },
  transactional: true,
  run: (context) => {
    requireSupported(context.body, ['collation']);
    return { values: distinctValues(context) };
  },
};

/** Turns a distinct into a query. It takes no hint before MongoDB 7.1. */
export function distinctQuery(context: CommandContext): QuerySpec {
  const { body } = context;
  return {
    filter: docOf(body, 'query'),
    sort: {},
    hint: undefined,
    skip: 0,
    limit: 0,
    environment: environmentOf(context),
  };
}

function distinctValues(context: CommandContext): unknown[] {
  const view = viewOf(context, collectionName(context, 'distinct'));
  const path = String(context.body.key).split('.');
  const values = new Map<string, unknown>();
  for (const { doc } of findMatches(view, distinctQuery(context))) {
    anyValueAt(doc, path, 'whole', (value) => {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) values.set(keyString([one], [1]), one);
      }
      return false;
    });
  }
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
