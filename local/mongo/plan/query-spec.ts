import type { Doc } from '../bson/decode.js';
import type { Environment } from '../query/evaluation.js';
import type { FieldsRead } from '../query/fields-read.js';

/** A query with its filter, its order and its limits. */
export interface QuerySpec {
  readonly filter: Doc;
  readonly sort: Doc;
  readonly hint: unknown;
  /** The ends in the hinted index that `min` (inclusive) and `max` (exclusive) of a find give. */
  readonly ends?: { readonly min?: Doc; readonly max?: Doc };
  readonly skip: number;
  /** 0 means no limit. */
  readonly limit: number;
  /** Whether only some fields are asked for. If so, no plan counts as the best before others were tried. */
  readonly projected?: boolean;
  /** Whether only the number of matches counts. */
  readonly counted?: boolean;
  /** The fields read of the matches, if not all. Other fields are not decoded, which would take most of the time. */
  readonly read?: FieldsRead;
  readonly environment: Environment;
}
