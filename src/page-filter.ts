import * as z from 'zod';
import { MAX_PAGE_BYTES } from './mongo/read-page.js';
import { storableText } from './storable-text.js';

/** Encodes a position in a list as text, which callers pass back unchanged. */
export function toCursorText(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** Returns a schema that parses a text made by `toCursorText` to its position. */
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

/**
 * Maximum number of jobs that are searched for one page if no index has its conditions. The search takes about ten
 * milliseconds.
 */
export const MAX_SEARCHED = 5000;

/** Options that limit the size of a page. */
export const pageSize = {
  limit: z.int().min(1).max(1000).default(100),
  maxBytes: z.int().min(1).max(MAX_PAGE_BYTES).default(MAX_PAGE_BYTES),
};

/** Returns the schema of a `PageFilter` whose cursor holds positions of this kind. */
export function pageSchema<Place>(place: z.ZodType<Place>) {
  return z.strictObject({ ...pageSize, cursor: cursorOf(place).optional() });
}

/** Filter for a list sorted by name or id. */
export const namePageSchema = pageSchema(storableText) satisfies z.ZodType<unknown, PageFilter>;

/** Selects a page of a list. */
export interface PageFilter {
  /** Maximum number of members, 1 to 1000. Default 100. */
  readonly limit?: number | undefined;
  /** Maximum size of the page as JSON within JSON, unless it has a single member. Default and maximum 5 MB. */
  readonly maxBytes?: number | undefined;
  /** Continues after the page that returned it. */
  readonly cursor?: string | undefined;
}
