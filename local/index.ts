/**
 * `remote-processor/local` runs everything on one machine instead of AWS.
 *
 * @module remote-processor/local
 */
import '../src/require-zod.js';

export { type EmbeddedMongo, type EmbeddedMongoOptions, startEmbeddedMongo } from './mongo/index.js';
export { LocalProcessor, type LocalProcessorOptions } from './processor.js';
