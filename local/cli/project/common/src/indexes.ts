import { createEnsureIndexesHandler } from 'remote-processor/lambda';

export const handler = createEnsureIndexesHandler();
