import { clientsInPart } from './clients-in-part.mjs';
import { threadEntries } from './thread-entries.mjs';

/** The esbuild plugins that serverless.yml bundles functions with. */
export default [threadEntries, clientsInPart];
