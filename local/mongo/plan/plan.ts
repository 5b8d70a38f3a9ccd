import type { OrderedIndex } from '../storage/ordered-index.js';
import type { Bounds } from './index-scan.js';
import type { Interval } from './intervals.js';

/** A walk through one index. Several scans are merged into the order of the sort. */
export interface IndexPlan {
  readonly kind: 'index';
  readonly index: OrderedIndex;
  readonly forward: boolean;
  /** The scan, or several if an `$in` before the sort fields is split into its values. */
  readonly scans: readonly Bounds[];
  /** The range from `min` to `max`. Bounds of single fields cannot express it. Keys outside the range are left out. */
  readonly range?: Interval;
  /** The field at which the order of the merged scans begins. */
  readonly mergeFrom: number;
  /** Whether the documents come in the order asked for. */
  readonly sorted: boolean;
}

/** A walk through all documents. */
export interface CollectionPlan {
  readonly kind: 'collection';
  readonly forward: boolean;
  readonly sorted: boolean;
}

/** A walk through an index for each branch of an `$or`. */
export interface UnionPlan {
  readonly kind: 'union';
  readonly branches: readonly IndexPlan[];
  readonly sorted: boolean;
}

/** A plan without work, because the collection does not exist. */
export interface EmptyPlan {
  readonly kind: 'empty';
  readonly sorted: true;
}

/** The way in which a query finds its documents. */
export type Plan = IndexPlan | UnionPlan | CollectionPlan | EmptyPlan;
