import type { Document, IndexDescription } from 'mongodb';

/** A domain's description of its collection. */
export interface CollectionDescription {
  /** Name without the prefix. */
  readonly name: string;
  /**
   * Conditions that all our documents meet, and that hardly any document of another application meets. Uses fields that
   * every version so far has written.
   */
  readonly ours: { readonly _id: typeof text | typeof moment } & Document;
  /** Indexes that every database needs. */
  readonly indexes: readonly IndexDescription[];
  /**
   * Indexes of earlier versions, dropped once their replacements exist. A different index of the same name belongs to
   * another application and stays.
   */
  readonly formerIndexes: readonly IndexDescription[];
}

/** A field that holds text. */
export const text = { $type: 'string' } as const;

/** A field that holds a time. */
export const moment = { $type: 'date' } as const;

/**
 * Returns a TTL index that lets MongoDB delete documents on expiry. It only holds documents with an expiry that are
 * certainly ours, so an application's documents are never deleted.
 *
 * @param ours conditions on the other fields
 */
export function expiring(name: string, field: string, ours: Document, expireAfterSeconds = 0) {
  const partialFilterExpression = { [field]: { $exists: true }, ...ours };
  return { name, key: { [field]: 1 }, expireAfterSeconds, partialFilterExpression };
}

/** TTL index of earlier versions, for everything that expires. */
export const formerExpiry = { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 } as const;
