import type { Collection } from 'mongodb';
import type { JobCollections } from '../job/jobs-collection.js';
import { type CollectionDescription, text } from '../mongo/collection-description.js';
import type { SchedulerItemDocument } from './item.js';
import type { schedulerTypes } from './scheduler-options.js';

/** The collections of scheduler items and of the jobs that they make. */
export interface SchedulerCollections extends JobCollections {
  readonly scheduler: Collection<SchedulerItemDocument>;
}

/** Indexes active items by their next occurrence, so that a tick examines only due items. */
export const dueItems = {
  name: 'due',
  key: { nextCallTime: 1 },
  partialFilterExpression: { active: true },
} as const;

/** Indexes declared items. They are few among all items. */
const declaredItems = {
  name: 'declared',
  key: { 'declared.by': 1 },
  partialFilterExpression: { 'declared.by': { $exists: true } },
} as const;

/** Repeats `schedulerTypes`. Importing that would load the code of schedules, which a worker loads only on demand. */
const itemTypes = ['Cron', 'Delay', 'At'] as const satisfies typeof schedulerTypes;

/** Conditions that every item of ours meets. See `CollectionDescription`. */
export const ourItem: CollectionDescription['ours'] = {
  _id: text,
  type: { $in: itemTypes },
  jobName: text,
  version: { $type: 'number' },
};

export const schedulerCollection: CollectionDescription = {
  name: 'scheduler',
  ours: ourItem,
  indexes: [dueItems, declaredItems],
  formerIndexes: [],
};
