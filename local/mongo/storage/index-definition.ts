import type { IndexDefinition } from './ordered-index.js';

/** Returns the index on `_id` that every collection has. */
export function idIndexDefinition(): IndexDefinition {
  return {
    name: '_id_',
    fields: [{ path: '_id', direction: 1 }],
    unique: true,
    sparse: false,
    partial: undefined,
    expireAfterSeconds: undefined,
    hidden: false,
    spec: { v: 2, key: { _id: 1 }, name: '_id_' },
  };
}
