import type { Document, FindCursor } from 'mongodb';
import * as z from 'zod';
import { momentSchema } from './job/job-options.js';
import { anyMoment } from './mongo/any-moment.js';
import { readPage } from './mongo/read-page.js';
import { toCursorText } from './page-filter.js';
import { storableText } from './storable-text.js';

/** A place in a list that is sorted by a moment and by id: the last document of a page. */
export interface MomentPlace {
  readonly at: Date;
  readonly id: string;
}

/** Schema of the places that cursors of `readNewestFirst` hold. */
export const momentPlaceSchema: z.ZodType<MomentPlace> = z
  .tuple([momentSchema, storableText])
  .transform(([at, id]) => ({ at, id }));

/** The page to read: its size, and the place after which it begins. The first page has no place. */
interface NewestFirstPage {
  readonly limit: number;
  readonly maxBytes: number;
  readonly cursor?: MomentPlace | undefined;
}

/** Options of a statement that reads a page. */
interface PageOptions {
  readonly sort: Record<string, -1>;
  readonly limit: number;
  readonly batchSize: number;
}

/**
 * Reads a page of documents, newest first by a field. Equal moments are in descending order of their ids. Returns a cursor for
 * the next page, undefined at the end. Needs an index on the field and `_id`, both descending.
 *
 * @param field the field with the moment by which the list is sorted
 * @param find returns the documents that match the given conditions and its own
 */
export async function readNewestFirst<
  Field extends string,
  Found extends { readonly _id: string } & Readonly<Record<Field, Date>>,
>(
  field: Field,
  { limit, maxBytes, cursor }: NewestFirstPage,
  find: (conditions: Document, options: PageOptions) => FindCursor<Found>,
): Promise<{ readonly documents: readonly Found[]; readonly cursor: string | undefined }> {
  const conditions = cursor
    ? {
        [field]: { $lte: cursor.at },
        $or: [{ [field]: { $lt: cursor.at } }, { [field]: cursor.at, _id: { $lt: cursor.id } }],
      }
    : { [field]: anyMoment };
  const options = { sort: { [field]: -1, _id: -1 } as const, limit: limit + 1, batchSize: limit + 1 };
  const { documents, hasMore } = await readPage(find(conditions, options), { limit, maxBytes });
  const last = documents.at(-1);
  return { documents, cursor: hasMore && last ? toCursorText([last[field], last._id]) : undefined };
}
