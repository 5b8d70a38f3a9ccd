import type { FindOptions } from 'mongodb';

/** A collection whose ids are texts. */
export interface WithTextIds {
  find(
    filter: { readonly _id: { readonly $in: readonly string[] } },
    options: FindOptions,
  ): { toArray(): Promise<{ readonly _id: string }[]> };
}

/** Returns the given ids that the collection already holds. */
export async function findTakenIds(
  collection: WithTextIds,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const found = await collection.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray();
  return new Set(found.map(({ _id }) => _id));
}
