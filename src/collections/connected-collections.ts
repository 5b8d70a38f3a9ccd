import type { Connected } from '../mongo/connected.js';
import type { Collections } from './collections.js';

/**
 * Name of a method of the processor. The HTTP API gets the collections through it, for work that the public API does not offer.
 * The name is a shared symbol, since the processor may come from another copy of this package.
 */
export const connectedCollections: unique symbol = Symbol.for('remote-processor.connectedCollections');

/** The part of a processor that gives access to its collections. */
export interface WithCollections {
  readonly [connectedCollections]: Connected<Collections>;
}
