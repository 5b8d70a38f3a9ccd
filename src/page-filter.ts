import * as z from 'zod';
import { storableText } from './job/job-options.js';

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

/** Which part of a list, by places of this kind: see `PageFilter`. */
export function pageSchema<Place>(place: z.ZodType<Place>) {
  return z.strictObject({
    limit: z.int().min(1).max(1000).default(100),
    cursor: cursorOf(place).optional(),
  });
}

/** Of a list in the order of names, or ids. */
export const namePageSchema = pageSchema(storableText);

/** Which part of a list: at most `limit` (1 to 1000, default 100), from the `cursor` on that a page before gave. */
export type PageFilter = z.input<typeof namePageSchema>;
