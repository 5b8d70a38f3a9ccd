import * as z from 'zod';
import { cursorOf, toCursorText } from '../page-filter.js';
import { storableText } from '../storable-text.js';

/** Position of a job in lists, which are sorted by `created`, then `_id`. Neither ever changes. */
export interface ListPlace {
  readonly created: Date;
  readonly id: string;
}

/** Encodes a position as text that callers pass back. The text stays valid when that job is gone. */
export function toCursor({ created, id }: ListPlace): string {
  return toCursorText([created.getTime(), id]);
}

/** The largest time that a Date can hold. */
const MAX_TIME_MS = 8.64e15;

const placeSchema = z
  .tuple([z.int().min(-MAX_TIME_MS).max(MAX_TIME_MS), storableText])
  .transform(([created, id]): ListPlace => ({ created: new Date(created), id }));

/** Parses a text made by `toCursor` to a position. */
export const cursorSchema = cursorOf(placeSchema);
