import type { OrderedIndex } from '../storage/ordered-index.js';
import type { Bounds } from './index-scan.js';
import type { Interval } from './intervals.js';

/** A walk through one index. Several are merged into the order of the sort. */
export interface IndexPlan {
  readonly kind: 'index';
  readonly index: OrderedIndex;
  readonly forward: boolean;
  /** One for a plain scan; several if an `$in` before the sort fields is taken apart. */
  readonly scans: readonly Bounds[];
  /** Keys outside of this range are left out: the ends of `min` and `max`, which no bounds of single fields can say. */
  readonly range?: Interval;
  /** The field from which on the merged scans are ordered. */
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

/** A walk for each branch of an `$or`, each through an index. */
export interface UnionPlan {
  readonly kind: 'union';
  readonly branches: readonly IndexPlan[];
  readonly sorted: boolean;
}

/** Nothing to look at: there is no such collection. */
export interface EmptyPlan {
  readonly kind: 'empty';
  readonly sorted: true;
}

/** How a query finds its documents. */
export type Plan = IndexPlan | UnionPlan | CollectionPlan | EmptyPlan;
