import type { ClientSession } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import {
  type BatchDocument,
  CHECK_MS,
  fromNow,
  type GroupCollections,
  type WorkflowDocument,
} from './group-document.js';

/** Inserts a batch or a workflow unless one has its name, and returns the one that is stored. Safe to repeat. */
export async function insertGroup(
  { jobGroups }: GroupCollections,
  group: string,
  content: object,
  session?: ClientSession,
): Promise<BatchDocument | WorkflowDocument> {
  const isNew = { $eq: [{ $type: '$kind' }, 'missing'] };
  const document = {
    $mergeObjects: [{ _id: group }, { $literal: content }, { created: '$$NOW', checkAt: fromNow(CHECK_MS) }],
  };
  const insert = [{ $replaceWith: { $cond: [isNew, document, '$$ROOT'] } }];
  const options = { upsert: true, returnDocument: 'after', ...(session && { session }), ...byId } as const;
  const stored = await jobGroups.findOneAndUpdate({ _id: group }, insert, options);
  if (!stored || stored.kind === 'job')
    throw new Error(`The group '${group}' was removed while it was added.`);
  return stored;
}
