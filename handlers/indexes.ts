import { createEnsureIndexesHandler } from './ensure-indexes-handler.js';

/** Invoke this by hand, once per deployment. */
export const handler = createEnsureIndexesHandler();
