/** `remote-processor/local`: one machine instead of AWS. */
import '../src/require-zod.js';

export { startEmbeddedMongo } from './mongo/index.js';
export { LocalProcessor, type LocalProcessorOptions } from './processor.js';
