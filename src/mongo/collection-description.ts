import type { Document, IndexDescription } from 'mongodb';

/** What a domain tells of its collection. */
export interface CollectionDescription {
  /** Its name, without the prefix. */
  readonly name: string;
  /**
   * What every document of ours has, and a document of somebody else in a collection of the same name hardly has: fields
   * that each version so far has written with it.
   */
  readonly ours: { readonly _id: typeof text | typeof moment } & Document;
  /** The indexes that every database needs. */
  readonly indexes: readonly IndexDescription[];
  /**
   * Of earlier versions. They are dropped once those that took their place are there; one of the same name that is another
   * index is somebody else's, and stays.
   */
  readonly formerIndexes: readonly IndexDescription[];
}

/** A field that holds a text. */
export const text = { $type: 'string' } as const;

/** A field that holds a time. */
export const moment = { $type: 'date' } as const;

/**
 * An index of documents that MongoDB deletes when their time has come: those that have such a moment, and all that tells
 * ours from an application's, which are never deleted by it.
 *
 * @param ours conditions on the other fields
 */
export function expiring(name: string, field: string, ours: Document, expireAfterSeconds = 0) {
  const partialFilterExpression = { [field]: { $exists: true }, ...ours };
  return { name, key: { [field]: 1 }, expireAfterSeconds, partialFilterExpression };
}

/** What earlier versions had for whatever had to be deleted in its time. */
export const formerExpiry = { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 } as const;
