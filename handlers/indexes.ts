import { createEnsureIndexesHandler } from './ensure-indexes-handler.js';

/** Makes the indexes. Invoke it by hand, once per deployment. */
export const handler = createEnsureIndexesHandler();
