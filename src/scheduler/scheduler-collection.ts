import type { Collection } from 'mongodb';
import type { JobCollections } from '../job/jobs-collection.js';
import { type CollectionDescription, text } from '../mongo/collection-description.js';
import type { SchedulerItemDocument } from './item.js';
import type { schedulerTypes } from './scheduler-options.js';

/** The collections of scheduler items and of the jobs that they make. */
export interface SchedulerCollections extends JobCollections {
  readonly scheduler: Collection<SchedulerItemDocument>;
}

/** The items that are due: a tick examines those and no others. */
export const dueItems = {
  name: 'due',
  key: { nextCallTime: 1 },
  partialFilterExpression: { active: true },
} as const;

/** The items that are declared in code, which are few, among those that are not. */
const declaredItems = {
  name: 'declared',
  key: { 'declared.by': 1 },
  partialFilterExpression: { 'declared.by': { $exists: true } },
} as const;

/** Told again, for a worker does not read the code of schedules before it needs it. */
const itemTypes = ['Cron', 'Delay', 'At'] as const satisfies typeof schedulerTypes;

/** What every item of ours has: see `CollectionDescription`. */
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
