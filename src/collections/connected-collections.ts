import type { Connected } from '../mongo/connected.js';
import type { Collections } from './collections.js';

/**
 * Names the method by which the HTTP API comes to the collections of a processor, for what is no concern of a user. The
 * processor may be of another copy of this package.
 */
export const connectedCollections: unique symbol = Symbol.for('remote-processor.connectedCollections');

/** A processor, as far as its collections are concerned. */
export interface WithCollections {
  readonly [connectedCollections]: Connected<Collections>;
}
