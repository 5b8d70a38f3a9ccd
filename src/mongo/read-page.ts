import type { FindCursor } from 'mongodb';

/** The largest page, as Lambda sends it. Lambda's limit is 6 MB per response. The rest is for the text around the members. */
export const MAX_PAGE_BYTES = 5 * 1024 * 1024;

/** A page of the documents that a cursor finds. */
export interface ReadPage<Found> {
  readonly documents: readonly Found[];
  /** Whether there are more. */
  readonly hasMore: boolean;
}

/** Allowance per member for fields that are sent as null because its document lacks them. */
const NULLS_BYTES = 400;

/**
 * Reads documents until there are `limit`, or until the next one would make the page larger than `maxBytes` as sent. So memory
 * holds only the page and a batch. The first document is returned whatever its size.
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

/**
 * Returns a function that decides for each member whether it still fits into the page as sent. The first member always fits.
 */
export function fittingInto(maxBytes: number): (member: object) => boolean {
  let bytes = 0;
  return (member) => {
    const isFirst = bytes === 0;
    bytes += bytesAsSent(member) + NULLS_BYTES;
    return isFirst || bytes <= maxBytes;
  };
}

/**
 * Returns the size of a value as sent. Lambda sends a body as JSON within JSON, so each quote and backslash in it is escaped
 * once more. These characters are counted, since the escaped text would double the memory of a large value.
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
