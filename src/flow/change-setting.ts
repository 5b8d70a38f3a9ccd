import type { Collection, Document, Filter } from 'mongodb';
import { ForeignDocumentsError } from '../errors.js';
import { anyMoment } from '../mongo/any-moment.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { isUnset, type LimitDocument, type LimitSetting } from './limit-document.js';

/** A change of what a person has set for a limit. Absent fields stay as they are. */
export interface SettingChange {
  /** Number of places. Null for the number in the code. */
  readonly max?: number | null;
  readonly isPaused?: boolean;
}

/**
 * Changes the setting of a limit, and returns the new one. A limit that is already paused keeps the moment at which it was
 * paused. A document that nothing needs any more is removed.
 *
 * @throws ForeignDocumentsError if a foreign document has the key as its id
 */
export async function changeSetting(
  limits: Collection<LimitDocument>,
  key: string,
  change: SettingChange,
): Promise<LimitSetting> {
  const isMade = typeof change.max === 'number' || change.isPaused === true;
  const after = isMade ? await make(limits, key, change) : await takeBack(limits, key, change);
  const { max, paused } = after ?? {};
  return { ...(max !== undefined && { max }), ...(paused && { paused }) };
}

async function make(
  limits: Collection<LimitDocument>,
  key: string,
  change: SettingChange,
): Promise<LimitDocument | null> {
  const ours: Filter<LimitDocument> = { _id: key, $or: [{ next: anyMoment }, { set: anyMoment }] };
  const options = { upsert: true, returnDocument: 'after', ...byId } as const;
  for (;;) {
    try {
      // A foreign document does not match, and the insert then fails on its id.
      return await limits.findOneAndUpdate(ours, changeTo(change), options);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const holder = await limits.findOne({ _id: key }, byId);
      if (holder && !(holder.next instanceof Date) && !(holder.set instanceof Date))
        throw new ForeignDocumentsError([{ collection: limits.collectionName, id: key }]);
      // Otherwise another process made the document at the same moment, and the next try finds it.
    }
  }
}

async function takeBack(
  limits: Collection<LimitDocument>,
  key: string,
  change: SettingChange,
): Promise<LimitDocument | null> {
  const options = { returnDocument: 'after', ...byId } as const;
  const after = await limits.findOneAndUpdate({ _id: key, set: anyMoment }, changeTo(change), options);
  if (after && !after.set) await limits.deleteOne({ _id: key, next: { $exists: false }, ...isUnset }, byId);
  return after;
}

function changeTo({ max, isPaused }: SettingChange): Document[] {
  const isThere = (field: string) => ({ $ne: [{ $type: field }, 'missing'] });
  const changes = {
    ...(max !== undefined && { max: max ?? '$$REMOVE' }),
    ...(isPaused !== undefined && { paused: isPaused ? { $ifNull: ['$paused', '$$NOW'] } : '$$REMOVE' }),
  };
  const isNeeded = { $or: ['$max', '$paused', '$next'].map(isThere) };
  return [{ $set: changes }, { $set: { set: { $cond: [isNeeded, '$$NOW', '$$REMOVE'] } } }];
}
