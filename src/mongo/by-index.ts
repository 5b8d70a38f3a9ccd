import type { ClientSession, Collection, Document } from 'mongodb';
import { IndexMissingError } from '../errors.js';
import { isHintRefused } from './index-missing.js';

/** An index, as those of a collection's description. */
export interface Index {
  readonly name: string;
  readonly key: Readonly<Document>;
}

/** The part of a statement's options that tells its index, by its keys: the driver does not take a name everywhere. */
export interface IndexHint {
  readonly hint?: Document;
}

/**
 * For statements by `_id` with further conditions: MongoDB might try another index, that serves one of those. This index
 * is always there.
 */
export const byId = { hint: { _id: 1 } } as const;

/** That index. */
export const idIndex: Index = { name: '_id_', key: byId.hint };

/** An index that was missing is told again after so long: somebody may have made it. */
const TELL_AGAIN_MS = 60_000;

/**
 * Makes a statement by the index that is meant for it. Where several could serve, MongoDB tries them, and remembers one
 * that was good for other values.
 *
 * A database may lack an index of a new version, and MongoDB refuses a statement that tells one. Then it is made without,
 * and so are the next, for a minute. Not in a transaction, which a refusal ends: the next one is made without.
 *
 * @param statement is given the option to add to its own
 * @param session of a transaction
 * @throws IndexMissingError in a transaction, and what the statement throws
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
    // Only now: a statement with another mistake is refused by the same code.
    if (refusal !== undefined) missing.tell(index);
    return result;
  };
  return byOptionalIndex(collection, index, () => statement({ hint: index.key }), without);
}

/** As `byIndex`, for an index that a database may well do without: how is up to the caller, and nothing is told. */
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

/** Tells a listener of indexes that statements had to do without, by their names: each at most about once a minute. */
export function onIndexMissing<Schema extends Document>(
  collection: Collection<Schema>,
  listener: (name: string) => void,
): void {
  missingIn(collection).onMissing = listener;
}

/** The indexes that a collection was found not to have, within the last minute. */
class MissingIndexes {
  readonly #since = new Map<string, number>();
  onMissing: (name: string) => void = () => {};

  has({ name }: Index): boolean {
    return performance.now() - (this.#since.get(name) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS;
  }

  add({ name }: Index): void {
    this.#since.set(name, performance.now());
  }

  /** Statements that are under way together may all find that it is missing: it is told once. */
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
