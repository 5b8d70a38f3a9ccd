import { randomUUID } from 'node:crypto';
import { type Collection, ObjectId } from 'mongodb';
import { claimKey } from './claim-key.js';
import { freeKey } from './free-key.js';
import { keepReply } from './keep-reply.js';
import type { IdempotencyKeyDocument } from './key-document.js';
import { leaveKey } from './leave-key.js';

/** A request that must be done once, however often it is sent. */
export interface IdempotentRequest {
  /** The sender. Different senders may use the same key. */
  readonly owner: string;
  readonly key: string;
  /** Hash that distinguishes the request from others. */
  readonly requestHash: string;
  /** Maximum number of jobs that the request adds. */
  readonly jobCount: number;
  /** Does the request, adds jobs only under these ids, and returns the reply. It may be called again after a crash. */
  readonly work: (jobIds: readonly string[]) => Promise<string>;
  /** Returns whether a failure of `work` changed nothing. The key can then be reused at once. */
  readonly changedNothing: (error: unknown) => boolean;
}

/**
 * `done`: this call did the request. `replayed`: an earlier call did it and returned this reply. `underWay`: another
 * call is doing it now. `otherRequest`: the key belongs to another request.
 */
export type OnceOutcome =
  | { readonly kind: 'done'; readonly reply: string }
  | { readonly kind: 'replayed'; readonly reply: string }
  | { readonly kind: 'underWay' }
  | { readonly kind: 'otherRequest' };

/**
 * Does a request that adds jobs, unless it was already done under its key. This implements the header `Idempotency-Key`. Stores
 * the jobs' ids first, so that a repetition after a crash neither loses nor duplicates a job. Keeps keys for 24 hours.
 *
 * @throws errors of `work`
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
    // If this call took over the request, an earlier try may have changed something.
    const isFirstTry = held.jobIds[0] === proposed[0];
    await (isFirstTry && changedNothing(error) ? freeKey : leaveKey)(keys, held).catch(() => {});
    throw error;
  }
}
