import { randomUUID } from 'node:crypto';
import type { ClientSession, Collection, Document } from 'mongodb';
import { batchesOf } from '../batches-of.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey, resultDespiteTakenKeys } from '../mongo/duplicate-key.js';
import type { LimitDocument } from './limit-document.js';

/** Single lines asked at a time. */
const AT_A_TIME = 20;

/**
 * Takes consecutive moments at the end of strict orders, and returns the first of each. A moment becomes the job's `runAt`.
 * Each moment is at least a millisecond later than the one before, and as early as possible.
 *
 * Costs one command for one line, and two for any number of lines. Lines in which other producers took moments at the same
 * time cost one more each.
 *
 * @param counts how many moments to take in each line
 * @param lookMs how much later somebody looks after these lines at the latest, in case this process dies
 */
export async function takeMoments(
  limits: Collection<LimitDocument>,
  counts: ReadonlyMap<string, number>,
  lookMs: number,
  session: ClientSession | undefined,
): Promise<Map<string, Date>> {
  const inSession = session && { session };
  const first =
    counts.size > 1 ? await takeTogether(limits, counts, lookMs, inSession) : new Map<string, Date>();
  const others = [...counts].filter(([key]) => !first.has(key));
  for (const some of batchesOf(others, session ? 1 : AT_A_TIME)) {
    await Promise.all(
      some.map(async ([key, count]) =>
        first.set(key, await takeAlone(limits, key, count, lookMs, inSession)),
      ),
    );
  }
  return first;
}

type InSession = { readonly session: ClientSession } | undefined;

/**
 * Takes moments in several lines at once. Returns the moments of the lines in which no other producer took some before the
 * read-back.
 */
async function takeTogether(
  limits: Collection<LimitDocument>,
  counts: ReadonlyMap<string, number>,
  lookMs: number,
  inSession: InSession,
): Promise<Map<string, Date>> {
  const by = randomUUID();
  const statements = [...counts].map(([key, count]) => ({
    updateOne: { filter: { _id: key }, update: taking(by, count, lookMs), upsert: true, ...byId },
  }));
  await limits.bulkWrite(statements, { ordered: false, ...inSession }).catch(resultDespiteTakenKeys);
  const ofThisCall = { _id: { $in: [...counts.keys()] }, takenBy: by };
  const options = { batchSize: counts.size + 1, ...byId, ...inSession };
  const taken = await limits.find(ofThisCall, options).toArray();
  return new Map(
    taken.flatMap(({ _id, last }) => (last ? [[_id, firstOf(last, counts.get(_id) ?? 1)] as const] : [])),
  );
}

async function takeAlone(
  limits: Collection<LimitDocument>,
  key: string,
  count: number,
  lookMs: number,
  inSession: InSession,
): Promise<Date> {
  const options = { upsert: true, returnDocument: 'after', ...byId, ...inSession } as const;
  for (;;) {
    try {
      const after = await limits.findOneAndUpdate({ _id: key }, taking(randomUUID(), count, lookMs), options);
      if (after?.last) return firstOf(after.last, count);
    } catch (error) {
      if (inSession || !isDuplicateKey(error)) throw error; // Another process made the document at the same moment.
    }
  }
}

function firstOf(last: Date, count: number): Date {
  return new Date(last.getTime() - count + 1);
}

function taking(by: string, count: number, lookMs: number): Document[] {
  const first = { $max: [{ $add: ['$last', 1] }, '$$NOW'] };
  return [
    { $set: { last: { $add: [first, count - 1] }, takenBy: by } },
    { $set: { next: { $max: ['$next', { $add: ['$last', lookMs] }] } } },
  ];
}
