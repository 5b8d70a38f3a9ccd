import type { Collections } from './collections.js';

/**
 * The collections, once the client is connected: what is done through them alone might find it closed for ever.
 *
 * @throws ForeignDocumentsError when they are an application's, and what the driver throws
 */
export type ConnectedCollections = () => Promise<Collections>;

/**
 * Names the method by which the HTTP API comes to the collections of a processor, for what is no concern of a user. The
 * processor may be of another copy of this package.
 */
export const connectedCollections: unique symbol = Symbol.for('remote-processor.connectedCollections');

/** A processor, as far as its collections are concerned. */
export interface WithCollections {
  readonly [connectedCollections]: ConnectedCollections;
}
