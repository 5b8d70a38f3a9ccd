import { randomUUID } from 'node:crypto';
import { type Collection, ObjectId } from 'mongodb';
import { claimKey } from './claim-key.js';
import { freeKey } from './free-key.js';
import { keepReply } from './keep-reply.js';
import type { IdempotencyKeyDocument } from './key-document.js';
import { leaveKey } from './leave-key.js';

/** A request that must be done once, however often it is sent. */
export interface IdempotentRequest {
  /** Who sends it: two who choose the same key do not meet. */
  readonly owner: string;
  readonly key: string;
  /** Tells the request from others. */
  readonly requestHash: string;
  /** How many jobs it adds at most. */
  readonly jobCount: number;
  /** Does it, adding jobs under these ids alone, and returns what is answered. It may be called again after a crash. */
  readonly work: (jobIds: readonly string[]) => Promise<string>;
  /** Whether a failure of `work` left everything as it was: then the key can be used again at once. */
  readonly changedNothing: (error: unknown) => boolean;
}

/**
 * `done` by this call; `replayed`: it was done before, and this is what was answered then; `underWay`: somebody does
 * it now; `otherRequest`: the key belongs to another one.
 */
export type OnceOutcome =
  | { readonly kind: 'done'; readonly reply: string }
  | { readonly kind: 'replayed'; readonly reply: string }
  | { readonly kind: 'underWay' }
  | { readonly kind: 'otherRequest' };

/**
 * Does a request that adds jobs unless it was done before under its key, which is kept for 24 hours: what the HTTP API makes
 * of `Idempotency-Key`. The ids of the jobs are stored first, so that a crash in the middle neither loses nor doubles one:
 * whoever sends the request again goes on with them.
 *
 * @throws what `work` throws
 */
export async function doOnce(
  keys: Collection<IdempotencyKeyDocument>,
  { owner, key, requestHash, jobCount, work, changedNothing }: IdempotentRequest,
): Promise<OnceOutcome> {
  const proposed = Array.from({ length: jobCount }, () => new ObjectId().toHexString());
  const claim = { _id: JSON.stringify([owner, key]), requestHash, jobIds: proposed, holder: randomUUID() };
  const held = await claimKey(keys, claim);
  if (held.requestHash !== requestHash) return { kind: 'otherRequest' };
  if (held.reply !== undefined) return { kind: 'replayed', reply: held.reply };
  if (held.holder !== claim.holder) return { kind: 'underWay' };
  try {
    const reply = await work(held.jobIds);
    await keepReply(keys, held, reply);
    return { kind: 'done', reply };
  } catch (error) {
    // Of one that was taken over, the first try may have changed something.
    const isFirstTry = held.jobIds[0] === proposed[0];
    await (isFirstTry && changedNothing(error) ? freeKey : leaveKey)(keys, held).catch(() => {});
    throw error;
  }
}
