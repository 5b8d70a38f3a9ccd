import type { Document } from 'mongodb';
import { jobStatuses } from '../job/job.js';
import type { schedulerTypes } from '../scheduler/scheduler-options.js';
import type { CollectionKey } from './collections.js';

const text = { $type: 'string' } as const;
const moment = { $type: 'date' } as const;
/** Told again, for a worker does not read the code of schedules before it needs it. */
const itemTypes = ['Cron', 'Delay', 'At'] as const satisfies typeof schedulerTypes;

/**
 * What every document of ours has, and a document of somebody else in a collection of the same name hardly has: fields
 * that each version so far has written with it.
 */
export const ours: Readonly<Record<CollectionKey, Document>> = {
  jobs: { _id: text, jobName: text, status: { $in: jobStatuses }, retryCounter: { $type: 'number' } },
  jobFactories: { _id: text, hash: text },
  scheduler: { _id: text, type: { $in: itemTypes }, jobName: text, version: { $type: 'number' } },
  queues: { _id: text, paused: moment },
  workers: { _id: text, processor: text, expires: moment },
  idempotencyKeys: { _id: text, requestHash: text, jobIds: { $type: 'array' } },
  endedSessions: { _id: text, expireAt: moment },
  wrongKeys: { _id: text, at: { $type: 'array' }, expireAt: moment },
  statistics: { _id: moment, written: moment, expireAt: moment },
};
