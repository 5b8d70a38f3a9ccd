import type { Doc } from '../bson/decode.js';
import type { Environment } from '../query/evaluation.js';
import type { FieldsRead } from '../query/fields-read.js';

/** What to look for, and in which order. */
export interface QuerySpec {
  readonly filter: Doc;
  readonly sort: Doc;
  readonly hint: unknown;
  /** Ends of the keys of the hinted index, as `min` and `max` of a find give them: the one inside, the other not. */
  readonly ends?: { readonly min?: Doc; readonly max?: Doc };
  readonly skip: number;
  /** 0 means no limit. */
  readonly limit: number;
  /** Whether only some fields are asked for. Then a plan is not taken for the best before others were tried. */
  readonly projected?: boolean;
  /** Whether only the number of matches counts, and no field of theirs. */
  readonly counted?: boolean;
  /** What is read of the matches, where that is not all. Other fields are not decoded, which most of the time would go to. */
  readonly read?: FieldsRead;
  readonly environment: Environment;
}
