import type { ClientSession, Collection, Document } from 'mongodb';
import { IndexMissingError } from '../errors.js';
import { isHintRefused } from './index-missing.js';

/** An index, as in a collection's description. */
export interface Index {
  readonly name: string;
  readonly key: Readonly<Document>;
}

/** Option that gives a statement its index by the index's keys. The driver does not take a name everywhere. */
export interface IndexHint {
  readonly hint?: Document;
}

/**
 * Option for statements by `_id` with further conditions. Without it, MongoDB might use an index for one of these
 * conditions. The index on `_id` always exists.
 */
export const byId = { hint: { _id: 1 } } as const;

/** The index on `_id`. */
export const idIndex: Index = { name: '_id_', key: byId.hint };

/** How long a missing index is not tried again. Afterwards it is, since somebody may have made it. */
const TELL_AGAIN_MS = 60_000;

/**
 * Runs a statement with its intended index. If several could serve, MongoDB compares them and remembers its choice, which may
 * be bad for other values.
 *
 * A database may lack an index of a new version, and MongoDB refuses statements that name a missing index. The statement is
 * then repeated without the hint. For a minute, further statements use no hint either. The refusal ends a transaction, so there
 * only the next transaction goes without the hint.
 *
 * @param statement receives an option to add to its own
 * @param session session of a transaction
 * @throws IndexMissingError in a transaction, and errors of the statement
 */
export async function byIndex<Schema extends Document, Result>(
  collection: Collection<Schema>,
  index: Index,
  statement: (hint: IndexHint) => Promise<Result>,
  session?: ClientSession,
): Promise<Result> {
  const missing = missingIn(collection);
  const without = async (refusal?: unknown) => {
    if (session && refusal !== undefined) {
      missing.tell(index);
      throw new IndexMissingError({ cause: refusal });
    }
    const result = await statement({});
    // Reported only after the repetition succeeds, because a statement with another mistake is refused with the same
    // code.
    if (refusal !== undefined) missing.tell(index);
    return result;
  };
  return byOptionalIndex(collection, index, () => statement({ hint: index.key }), without);
}

/**
 * Works like `byIndex`, for an optional index. If the index is missing, uses the caller's alternative and does not tell
 * listeners.
 */
export async function byOptionalIndex<Schema extends Document, Result>(
  collection: Collection<Schema>,
  index: Index,
  withIt: () => Promise<Result>,
  without: (refusal?: unknown) => Promise<Result>,
): Promise<Result> {
  const missing = missingIn(collection);
  if (missing.has(index)) return without();
  try {
    return await withIt();
  } catch (error) {
    if (!isHintRefused(error)) throw error;
    const result = await without(error);
    missing.add(index);
    return result;
  }
}

/** Calls a listener with the name of each missing index, at most about once a minute per index. */
export function onIndexMissing<Schema extends Document>(
  collection: Collection<Schema>,
  listener: (name: string) => void,
): void {
  missingIn(collection).onMissing = listener;
}

/** The indexes that turned out to be missing from a collection within the last minute. */
class MissingIndexes {
  readonly #since = new Map<string, number>();
  onMissing: (name: string) => void = () => {};

  has({ name }: Index): boolean {
    return performance.now() - (this.#since.get(name) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS;
  }

  add({ name }: Index): void {
    this.#since.set(name, performance.now());
  }

  /** Tells the listeners. Tells them once, even if several concurrent statements find that the index is missing. */
  tell(index: Index): void {
    if (this.has(index)) return;
    this.add(index);
    this.onMissing(index.name);
  }
}

const missingByCollection = new WeakMap<object, MissingIndexes>();

function missingIn(collection: object): MissingIndexes {
  const missing = missingByCollection.get(collection) ?? new MissingIndexes();
  missingByCollection.set(collection, missing);
  return missing;
}
