import { DEFAULT_COLLECTION_PREFIX } from '../src/mongo/collection-prefix.js';

/** Returns the names of a processor's collections with this prefix. */
export function collectionNamesOf(prefix: string) {
  return {
    jobs: `${prefix}jobs`,
    jobSteps: `${prefix}jobSteps`,
    jobGroups: `${prefix}jobGroups`,
    jobFactories: `${prefix}jobFactories`,
    scheduler: `${prefix}scheduler`,
    queues: `${prefix}queues`,
    limits: `${prefix}limits`,
    workers: `${prefix}workers`,
    idempotencyKeys: `${prefix}idempotencyKeys`,
    endedSessions: `${prefix}endedSessions`,
    wrongKeys: `${prefix}wrongKeys`,
    statistics: `${prefix}statistics`,
    statisticsHours: `${prefix}statisticsHours`,
    marks: `${prefix}marks`,
    failures: `${prefix}failures`,
    operations: `${prefix}operations`,
    operationSlices: `${prefix}operationSlices`,
    alerts: `${prefix}alerts`,
    audit: `${prefix}audit`,
  } as const;
}

/** The names of the collections of a processor without a prefix. */
export const collectionNames = collectionNamesOf(DEFAULT_COLLECTION_PREFIX);
