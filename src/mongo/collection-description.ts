import type { Document, IndexDescription } from 'mongodb';

/** A domain's description of its collection. */
export interface CollectionDescription {
  /** Name without the prefix. */
  readonly name: string;
  /**
   * Conditions that all our documents meet, but hardly any foreign document meets. They use only fields that every version so
   * far has written.
   */
  readonly ours: { readonly _id: typeof text | typeof moment } & Document;
  /** Indexes that every database needs. */
  readonly indexes: readonly IndexDescription[];
  /**
   * Indexes of earlier versions, dropped once their replacements exist. A different index with the same name belongs to another
   * application, and is kept.
   */
  readonly formerIndexes: readonly IndexDescription[];
}

/** Matches a field that holds text. */
export const text = { $type: 'string' } as const;

/** Matches a field that holds a date. */
export const moment = { $type: 'date' } as const;

/**
 * Returns a TTL index, with which MongoDB deletes documents on expiry. The index holds only documents that are certainly ours
 * and have an expiry. So MongoDB never deletes a foreign document.
 *
 * @param ours conditions on the other fields
 */
export function expiring(
  name: string,
  field: string,
  ours: Document,
  expireAfterSeconds = 0,
): IndexDescription & { readonly name: string } {
  const partialFilterExpression = { [field]: { $exists: true }, ...ours };
  return { name, key: { [field]: 1 }, expireAfterSeconds, partialFilterExpression };
}

/** TTL index of earlier versions. It holds all documents. */
export const formerExpiry = { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 } as const;
