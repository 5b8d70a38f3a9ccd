import * as z from 'zod';
import { storableText } from './job/storable-text.js';
import { MAX_PAGE_BYTES } from './mongo/read-page.js';

/** Where a list goes on, as a text that callers hand back as they got it. */
export function toCursorText(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** A text that `toCursorText` made of a place. */
export function cursorOf<Place>(place: z.ZodType<Place>) {
  return z.string().transform((text, context): Place => {
    const { success, data } = place.safeParse(fromJson(Buffer.from(text, 'base64url').toString()));
    if (success) return data;
    context.addIssue({ code: 'custom', message: 'expected the cursor of a page, unchanged' });
    return z.NEVER;
  });
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How large a page may be. */
export const pageSize = {
  limit: z.int().min(1).max(1000).default(100),
  maxBytes: z.int().min(1).max(MAX_PAGE_BYTES).default(MAX_PAGE_BYTES),
};

/** Which part of a list, by places of this kind: see `PageFilter`. */
export function pageSchema<Place>(place: z.ZodType<Place>) {
  return z.strictObject({ ...pageSize, cursor: cursorOf(place).optional() });
}

/** Of a list in the order of names, or ids. */
export const namePageSchema = pageSchema(storableText);

/**
 * Which part of a list: at most `limit` (1 to 1000, default 100), from the `cursor` on that a page before gave. It has at most
 * `maxBytes` as JSON within JSON (by default 5 MB, which is the most), or one member.
 */
export type PageFilter = z.input<typeof namePageSchema>;
