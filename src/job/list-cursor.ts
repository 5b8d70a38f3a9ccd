import * as z from 'zod';
import { storableText } from './job-options.js';

/** Where a job stands in lists: they are in the order of `created`, then of `_id`. Neither ever changes. */
export interface ListPlace {
  readonly created: Date;
  readonly id: string;
}

/** The place as a text that callers hand back as they got it. It stays good when that job is gone. */
export function toCursor({ created, id }: ListPlace): string {
  return Buffer.from(JSON.stringify([created.getTime(), id])).toString('base64url');
}

/** A text that `toCursor` made; gives the place. */
export const cursorSchema = z.string().transform((text, context): ListPlace => {
  const { success, data } = placeSchema.safeParse(fromJson(Buffer.from(text, 'base64url').toString()));
  if (success) return { created: new Date(data[0]), id: data[1] };
  context.addIssue({ code: 'custom', message: 'expected the cursor of a page, unchanged' });
  return z.NEVER;
});

/** The times that a Date can hold. */
const MAX_TIME_MS = 8.64e15;

const placeSchema = z.tuple([z.int().min(-MAX_TIME_MS).max(MAX_TIME_MS), storableText]);

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
