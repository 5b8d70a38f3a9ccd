import type { ClientSession } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import {
  type BatchDocument,
  CHECK_MS,
  fromNow,
  type GroupCollections,
  type WorkflowDocument,
} from './group-document.js';

/** The stored batch or workflow, and whether it was inserted now. */
export interface InsertedGroup {
  readonly stored: BatchDocument | WorkflowDocument;
  readonly isNew: boolean;
}

/** Time limit for adding a batch. If a batch is still incomplete then, its process has died. */
const MAX_ADDING_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Inserts a batch or a workflow, unless its name is taken. Returns the stored one. Safe to repeat.
 *
 * @param isWhole false if jobs are added later
 */
export async function insertGroup(
  { jobGroups }: GroupCollections,
  group: string,
  content: object,
  isWhole: boolean,
  session?: ClientSession,
): Promise<InsertedGroup> {
  const isNew = { $eq: [{ $type: '$kind' }, 'missing'] };
  const document = {
    $mergeObjects: [
      { _id: group },
      { $literal: content },
      { created: '$$NOW', checkAt: fromNow(CHECK_MS) },
      isWhole ? {} : { expires: fromNow(MAX_ADDING_MS) },
    ],
  };
  const insert = [{ $replaceWith: { $cond: [isNew, document, '$$ROOT'] } }];
  const options = { upsert: true, returnDocument: 'after', includeResultMetadata: true, ...byId } as const;
  const inSession = session && { session };
  const { value, lastErrorObject } = await jobGroups.findOneAndUpdate({ _id: group }, insert, {
    ...options,
    ...inSession,
  });
  if (!value || value.kind === 'job') throw new Error(`The group '${group}' was removed while it was added.`);
  return { stored: value, isNew: lastErrorObject?.updatedExisting === false };
}
