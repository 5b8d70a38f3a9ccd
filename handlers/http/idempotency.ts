import { createHash } from 'node:crypto';
import { connectedCollections, type WithCollections } from '../../src/collections/connected-collections.js';
import { doOnce } from '../../src/idempotency/do-once.js';
import { toProblem } from './failure.js';
import { invalid, Problem, type ProblemCode } from './problem.js';
import type { Reply } from './reply.js';

/** A request that adds jobs and may have an `Idempotency-Key`. */
export interface AddingRequest {
  readonly raw: Request;
  readonly callerId: string;
  /** The parsed content of the request. */
  readonly asked: object;
  /** Maximum number of jobs that the request adds. */
  readonly jobCount: number;
}

/** Matches visible ASCII. A repeated header is joined by a comma and a space, so it is refused. */
const keyPattern = /^[\x21-\x7e]{1,255}$/;

/** Problems that occur only before the first write. */
const harmless: readonly ProblemCode[] = ['validation_failed', 'unknown_job_name', 'not_found', 'forbidden'];

/**
 * Carries out a request once per `Idempotency-Key`. A repeated request changes nothing, and gets the first answer. A
 * request without that header is always carried out.
 *
 * @throws Problem for an invalid key, a key of another request, or a key whose request is still under way
 * @throws errors of `respond`
 */
export async function answerOnce(
  processor: WithCollections,
  { raw, callerId, asked, jobCount }: AddingRequest,
  respond: (jobIds?: readonly string[]) => Promise<Reply>,
): Promise<Reply> {
  const key = raw.headers.get('idempotency-key');
  if (key === null) return respond();
  if (!keyPattern.test(key)) throw invalid([{ path: 'Idempotency-Key', message: keyExpected }]);
  const { idempotencyKeys } = await processor[connectedCollections]();
  const outcome = await doOnce(idempotencyKeys, {
    owner: callerId,
    key,
    requestHash: hashOf(raw, asked),
    jobCount,
    work: async (jobIds) => JSON.stringify(await respond(jobIds)),
    changedNothing: (error) => harmless.includes(toProblem(error).code),
  });
  if (outcome.kind === 'otherRequest') throw new Problem('idempotency_key_reused');
  if (outcome.kind === 'underWay') throw new Problem('idempotency_key_in_use', { headers: retryAfter });
  const reply: Reply = JSON.parse(outcome.reply);
  return outcome.kind === 'done' ? reply : { ...reply, headers: { ...reply.headers, ...replayed } };
}

const keyExpected = 'expected 1 to 255 visible ASCII characters, without spaces, once';
const retryAfter = { 'retry-after': '1' };
const replayed = { 'idempotent-replayed': 'true' };

/** Hashes the meaning of a request. The order of keys does not matter, and a duration of `'10s'` equals one of 10000. */
function hashOf({ method, url }: Request, asked: object): string {
  const content = JSON.stringify([method, new URL(url).pathname, asked], sortedKeys);
  return createHash('sha256').update(content).digest('hex');
}

/**
 * Returns an object as a sorted list of pairs. A sorted object would not do, since it moves keys that look like numbers
 * to the front, and loses `__proto__`.
 */
function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const pairs = Object.entries(value).filter(([, member]) => member !== undefined);
  return { pairs: pairs.sort(([one], [other]) => (one < other ? -1 : 1)) };
}
