/** `remote-processor/local`: one machine instead of AWS. */
export { startEmbeddedMongo } from './mongo/index.js';
export { LocalProcessor, type LocalProcessorOptions } from './processor.js';
