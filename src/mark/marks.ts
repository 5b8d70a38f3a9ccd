import { type Collection, type Db, ObjectId } from 'mongodb';
import ms from 'ms';
import * as z from 'zod';
import { definedOf } from '../defined-of.js';
import { ValidationError } from '../errors.js';
import { momentSchema } from '../job/job-options.js';
import { byIndex } from '../mongo/by-index.js';
import type { Connected } from '../mongo/connected.js';
import { serverTime } from '../mongo/server-time.js';
import { momentPlaceSchema, readNewestFirst } from '../newest-first.js';
import { type PageFilter, pageSchema } from '../page-filter.js';
import { storableText } from '../storable-text.js';
import { validateNow } from '../validate.js';
import { byMoment, type MarkDocument } from './mark-document.js';

/** How long a mark is kept. Statistics, whose charts show the marks, are kept as long. */
const KEPT_MS = ms('90 days');

const MAX_TEXT = 100;

/** Options of a mark. */
export interface MarkOptions {
  /** Text of the mark, such as `'v42'`. 1 to 100 characters. */
  readonly text: string;
  /** Moment of the mark, within the last 90 days. Default: now. */
  readonly at?: Date | string | undefined;
  /** Author of the mark, for others to see. At most 500 characters. Over HTTP, it is the caller. */
  readonly by?: string | undefined;
}

/** An event at a moment, such as a deployment. */
export interface Mark {
  readonly id: string;
  readonly at: Date;
  readonly text: string;
  /** Absent if nobody said who. */
  readonly by?: string;
}

/** A page of marks. */
export interface MarkPage {
  readonly marks: readonly Mark[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

export const markText = storableText
  .trim()
  .min(1, 'expected a text, such as v42')
  .max(MAX_TEXT, `expected at most ${MAX_TEXT} characters`);

const markSchema = z.strictObject({
  text: markText,
  at: momentSchema.optional(),
  by: storableText.min(1).max(500).optional(),
});

const filterSchema = pageSchema(momentPlaceSchema) satisfies z.ZodType<unknown, PageFilter>;

/** Marks of moments, such as deployments. The dashboard draws them into its charts. They are kept for 90 days. */
export class Marks {
  constructor(
    private readonly db: Db,
    private readonly collections: Connected<{ readonly marks: Collection<MarkDocument> }>,
  ) {}

  /**
   * Marks a moment. A second call makes a second mark.
   *
   * @throws ValidationError for invalid options, or for a moment in the future or more than 90 days ago, by the database's
   * clock
   * @example await processor.marks.add({ text: 'v42' });
   */
  async add(options: MarkOptions): Promise<Mark> {
    const { text, at: given, by } = validateNow(markSchema, options, 'The call of marks.add');
    const { marks } = await this.collections();
    const now = await serverTime(this.db);
    const at = given ?? now;
    requireLately(at, now);
    const id = new ObjectId().toHexString();
    const mark = { at, text, ...definedOf({ by }) };
    await marks.insertOne({ _id: id, ...mark, expireAt: new Date(at.getTime() + KEPT_MS) });
    return { id, ...mark };
  }

  /**
   * Returns a page of marks, the latest first.
   *
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   */
  async list(filter: PageFilter = {}): Promise<MarkPage> {
    const page = validateNow(filterSchema, filter, 'Filter of marks');
    const { marks } = await this.collections();
    const { documents, cursor } = await byIndex(marks, byMoment, (hint) =>
      readNewestFirst('at', page, (after, options) => marks.find(after, { ...options, ...hint })),
    );
    return { marks: documents.map(({ _id: id, expireAt: _, ...mark }) => ({ id, ...mark })), cursor };
  }
}

/** How far the caller's clock may be ahead of the database's. */
const MAX_AHEAD_MS = ms('1 minute');

function requireLately(at: Date, now: Date): void {
  const ago = now.getTime() - at.getTime();
  if (ago < KEPT_MS && ago >= -MAX_AHEAD_MS) return;
  const message = `expected a moment of the last 90 days, by the database's clock, where it is ${now.toISOString()}`;
  throw new ValidationError('The call of marks.add', [{ path: 'at', message }]);
}
