import type { Connected } from '../mongo/connected.js';
import type { Collections } from './collections.js';

/**
 * Name of the method by which the HTTP API gets a processor's collections, for work that the public API does not offer.
 * The processor may come from another copy of this package.
 */
export const connectedCollections: unique symbol = Symbol.for('remote-processor.connectedCollections');

/** The part of a processor that gives access to its collections. */
export interface WithCollections {
  readonly [connectedCollections]: Connected<Collections>;
}
