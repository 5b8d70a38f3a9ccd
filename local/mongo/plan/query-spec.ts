import type { Doc } from '../bson/decode.js';
import type { Environment } from '../query/evaluation.js';
import type { FieldsRead } from '../query/fields-read.js';

/** A query with its filter, its order and its limits. */
export interface QuerySpec {
  readonly filter: Doc;
  readonly sort: Doc;
  readonly hint: unknown;
  /** The ends of a scan of the hinted index: `min` (inclusive) and `max` (exclusive) of a find. */
  readonly ends?: { readonly min?: Doc; readonly max?: Doc };
  readonly skip: number;
  /** 0 means no limit. */
  readonly limit: number;
  /**
   * Whether only some fields are returned. Then other plans are tried, too, even if a unique key identifies the document.
   */
  readonly projected?: boolean;
  /** Whether only the number of matches matters. */
  readonly counted?: boolean;
  /** The fields to read from the matches, if not all. Decoding the others would take most of the time. */
  readonly read?: FieldsRead;
  readonly environment: Environment;
}
