import { randomUUID } from 'node:crypto';
import type { ClientSession, Collection, Document } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import { resultDespiteTakenKeys } from '../mongo/duplicate-key.js';
import type { LimitDocument } from './limit-document.js';

/** Maximum number of tries for lines in which other producers take places at the same moment. */
const MAX_TRIES = 20;

/**
 * Takes consecutive moments at the end of strict orders, and returns the first of each. A moment becomes
 * the job's `runAt`. Each is at least a millisecond later than the one before, and never later than it must be.
 *
 * Costs two commands for any number of lines, and two more if other producers took places at the same moment.
 *
 * @param counts how many places to take in each line
 * @param lookMs how much later somebody looks after these lines at the latest, in case this process dies
 */
export async function takeMoments(
  limits: Collection<LimitDocument>,
  counts: ReadonlyMap<string, number>,
  lookMs: number,
  session: ClientSession | undefined,
): Promise<Map<string, Date>> {
  const first = new Map<string, Date>();
  const inSession = session && { session };
  for (let tries = 0; tries < MAX_TRIES && first.size < counts.size; tries += 1) {
    const by = randomUUID();
    const open = [...counts].filter(([key]) => !first.has(key));
    const statements = open.map(([key, count]) => ({
      updateOne: { filter: { _id: key }, update: taking(by, count, lookMs), upsert: true, ...byId },
    }));
    await limits.bulkWrite(statements, { ordered: false, ...inSession }).catch(resultDespiteTakenKeys);
    const keys = open.map(([key]) => key);
    const taken = await limits
      .find({ _id: { $in: keys }, takenBy: by }, { batchSize: keys.length + 1, ...byId, ...inSession })
      .toArray();
    for (const { _id, last } of taken) {
      const count = counts.get(_id) ?? 1;
      if (last) first.set(_id, new Date(last.getTime() - count + 1));
    }
  }
  if (first.size < counts.size)
    throw new Error('Other producers take places in the same strict orders all the time. Try again.');
  return first;
}

function taking(by: string, count: number, lookMs: number): Document[] {
  const first = { $max: [{ $add: ['$last', 1] }, '$$NOW'] };
  return [
    { $set: { last: { $add: [first, count - 1] }, takenBy: by } },
    { $set: { next: { $max: ['$next', { $add: ['$last', lookMs] }] } } },
  ];
}
