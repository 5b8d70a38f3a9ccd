import type { Collection, MongoClient } from 'mongodb';
import { type CollectionDescription, text } from '../mongo/collection-description.js';
import { formerJobIndexes, jobIndexes } from './indexes.js';
import { type JobDocument, jobStatuses } from './job.js';

/** The collection of jobs, and the client for sessions. */
export interface JobCollections {
  readonly client: MongoClient;
  readonly jobs: Collection<JobDocument>;
}

/** Conditions that every job of ours meets. See `CollectionDescription`. */
export const ourJob: CollectionDescription['ours'] = {
  _id: text,
  jobName: text,
  status: { $in: jobStatuses },
  retryCounter: { $type: 'number' },
};

export const jobsCollection: CollectionDescription = {
  name: 'jobs',
  ours: ourJob,
  indexes: jobIndexes,
  formerIndexes: formerJobIndexes,
};
