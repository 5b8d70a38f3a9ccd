import type { ClientSession, Collection, Document } from 'mongodb';
import { IndexMissingError } from '../errors.js';
import { isHintRefused } from './index-missing.js';

/** An index, as in a collection's description. */
export interface Index {
  readonly name: string;
  readonly key: Readonly<Document>;
}

/** Option that names the index of a statement, by its keys, because the driver does not take a name everywhere. */
export interface IndexHint {
  readonly hint?: Document;
}

/**
 * Option for statements by `_id` with further conditions. MongoDB might try another index that serves one of these. The
 * index of `_id` always exists.
 */
export const byId = { hint: { _id: 1 } } as const;

/** The index of `_id`. */
export const idIndex: Index = { name: '_id_', key: byId.hint };

/** How long a missing index is not tried again. Somebody may make it meanwhile. */
const TELL_AGAIN_MS = 60_000;

/**
 * Runs a statement by its intended index. If several could serve, MongoDB tries them and remembers one that was good for
 * other values.
 *
 * A database may lack an index of a new version, and MongoDB refuses statements that name one. The statement is then
 * repeated without it, as are further ones for a minute. In a transaction, which a refusal ends, only the next
 * transaction goes without.
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
    // Told only now, because a statement with another mistake is refused with the same code.
    if (refusal !== undefined) missing.tell(index);
    return result;
  };
  return byOptionalIndex(collection, index, () => statement({ hint: index.key }), without);
}

/** Works like `byIndex`, for an optional index. The caller decides how to go without it, and listeners are not told. */
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

/** Tells a listener the names of missing indexes, each at most about once a minute. */
export function onIndexMissing<Schema extends Document>(
  collection: Collection<Schema>,
  listener: (name: string) => void,
): void {
  missingIn(collection).onMissing = listener;
}

/** The indexes that a collection was found to lack within the last minute. */
class MissingIndexes {
  readonly #since = new Map<string, number>();
  onMissing: (name: string) => void = () => {};

  has({ name }: Index): boolean {
    return performance.now() - (this.#since.get(name) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS;
  }

  add({ name }: Index): void {
    this.#since.set(name, performance.now());
  }

  /** Tells listeners once, even if several statements under way find that the index is missing. */
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
