import * as z from 'zod';
import { cursorOf, toCursorText } from '../page-filter.js';
import { storableText } from '../storable-text.js';

/** Position of a job in lists, which are sorted by when it was added, or ended, then by `_id`. */
export interface ListPlace {
  readonly at: Date;
  readonly id: string;
}

/** Encodes a position as text that callers pass back. The text stays valid when that job is gone. */
export function toCursor({ at, id }: ListPlace): string {
  return toCursorText([at.getTime(), id]);
}

/** The largest time that a Date can hold. */
const MAX_TIME_MS = 8.64e15;

const placeSchema = z
  .tuple([z.int().min(-MAX_TIME_MS).max(MAX_TIME_MS), storableText])
  .transform(([at, id]): ListPlace => ({ at: new Date(at), id }));

/** Parses a text made by `toCursor` to a position. */
export const cursorSchema = cursorOf(placeSchema);
