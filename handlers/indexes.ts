import { createEnsureIndexesHandler } from './ensure-indexes-handler.js';

/** Invoked by hand, once per deployment. */
export const handler = createEnsureIndexesHandler();
