import * as z from 'zod';
import { cursorOf, toCursorText } from '../page-filter.js';
import { storableText } from './storable-text.js';

/** Where a job stands in lists: they are in the order of `created`, then of `_id`. Neither ever changes. */
export interface ListPlace {
  readonly created: Date;
  readonly id: string;
}

/** The place as a text that callers hand back as they got it. It stays good when that job is gone. */
export function toCursor({ created, id }: ListPlace): string {
  return toCursorText([created.getTime(), id]);
}

/** The times that a Date can hold. */
const MAX_TIME_MS = 8.64e15;

const placeSchema = z
  .tuple([z.int().min(-MAX_TIME_MS).max(MAX_TIME_MS), storableText])
  .transform(([created, id]): ListPlace => ({ created: new Date(created), id }));

/** A text that `toCursor` made; gives the place. */
export const cursorSchema = cursorOf(placeSchema);
