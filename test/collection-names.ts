import { DEFAULT_COLLECTION_PREFIX } from '../src/mongo/collection-prefix.js';

/** What the collections are called in a database. */
export function collectionNamesOf(prefix: string) {
  return {
    jobs: `${prefix}jobs`,
    jobFactories: `${prefix}jobFactories`,
    scheduler: `${prefix}scheduler`,
    queues: `${prefix}queues`,
    workers: `${prefix}workers`,
    idempotencyKeys: `${prefix}idempotencyKeys`,
    endedSessions: `${prefix}endedSessions`,
    wrongKeys: `${prefix}wrongKeys`,
    statistics: `${prefix}statistics`,
  } as const;
}

/** What the collections are called of a processor that was not told a prefix. */
export const collectionNames = collectionNamesOf(DEFAULT_COLLECTION_PREFIX);
