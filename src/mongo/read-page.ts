import type { FindCursor } from 'mongodb';

/**
 * A page that is read has at most so many bytes as Lambda sends it, which answers with 6 MB at most: what stands around
 * its members has room beside them.
 */
export const MAX_PAGE_BYTES = 5 * 1024 * 1024;

/** Some of what a cursor finds. */
export interface ReadPage<Found> {
  readonly documents: readonly Found[];
  /** Whether there are more. */
  readonly hasMore: boolean;
}

/**
 * Reads documents one after the other until there are `limit`, or one more would make the page larger than 5 MB as it is
 * sent. So no more is held in memory than that, and the batch that is under way. The first is given whatever its size.
 */
export async function readPage<Found extends object>(
  cursor: FindCursor<Found>,
  limit: number,
): Promise<ReadPage<Found>> {
  const documents: Found[] = [];
  let bytes = 0;
  for await (const document of cursor) {
    bytes += bytesAsSent(document);
    if (documents.length === limit || (bytes > MAX_PAGE_BYTES && documents.length > 0))
      return { documents, hasMore: true };
    documents.push(document);
  }
  return { documents, hasMore: false };
}

/** Lambda sends a body as JSON within JSON: each quote is escaped once more. */
export function bytesAsSent(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(JSON.stringify(value)) ?? '');
}
