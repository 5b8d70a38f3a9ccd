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

/** What a member of a page may have beside its document as it is sent: names of fields that are null. */
const NULLS_BYTES = 400;

/**
 * Reads documents one after the other until there are `limit`, or one more would make the page larger than `maxBytes` as it
 * is sent. So no more is held in memory than that, and the batch that is under way. The first is given whatever its size.
 */
export async function readPage<Found extends object>(
  cursor: FindCursor<Found>,
  { limit, maxBytes }: { readonly limit: number; readonly maxBytes: number },
): Promise<ReadPage<Found>> {
  const documents: Found[] = [];
  const fits = fittingInto(maxBytes);
  for await (const document of cursor) {
    if (documents.length === limit || !fits(document)) return { documents, hasMore: true };
    documents.push(document);
  }
  return { documents, hasMore: false };
}

/** Tells of one member of a page after the other whether it has room as it is sent. The first always has. */
export function fittingInto(maxBytes: number): (member: object) => boolean {
  let bytes = 0;
  return (member) => {
    const isFirst = bytes === 0;
    bytes += bytesAsSent(member) + NULLS_BYTES;
    return isFirst || bytes <= maxBytes;
  };
}

/**
 * Lambda sends a body as JSON within JSON: each quote, and each backslash, is escaped once more, and there is nothing else in
 * JSON that would be. They are counted, for a second text would take twice the memory of a large one.
 */
export function bytesAsSent(value: unknown): number {
  const text = JSON.stringify(value);
  if (text === undefined) return 0;
  let escaped = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE || code === BACKSLASH) escaped += 1;
  }
  return Buffer.byteLength(text) + escaped + OUTER_QUOTES;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OUTER_QUOTES = 2;
