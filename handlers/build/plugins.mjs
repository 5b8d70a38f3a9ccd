import { clientsInPart } from './clients-in-part.mjs';
import { threadEntries } from './thread-entries.mjs';

/** The esbuild plugins with which serverless.yml bundles functions. */
export default [threadEntries, clientsInPart];
