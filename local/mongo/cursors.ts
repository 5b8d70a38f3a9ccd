import { randomBytes } from 'node:crypto';
import { Long } from 'bson';
import { CommandError } from './errors.js';
import { CursorBatch } from './wire/reply.js';

/** A result document: a stored one, or newly encoded BSON. */
export type ResultDoc = string | Uint8Array;

/** The largest batch, not counting its last document. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

interface OpenCursor {
  readonly namespace: string;
  readonly results: Iterator<ResultDoc>;
  readonly session: string | undefined;
  pending: ResultDoc | undefined;
}

/** The open cursors of all clients. */
export class Cursors {
  readonly #open = new Map<string, OpenCursor>();

  /** Returns the first batch of a result. The rest stays open under a cursor id. */
  first(
    namespace: string,
    results: Iterable<ResultDoc>,
    batchSize: number,
    session: string | undefined,
    singleBatch = false,
  ): CursorBatch {
    const cursor: OpenCursor = {
      namespace,
      results: results[Symbol.iterator](),
      session,
      pending: undefined,
    };
    const { docs, more } = take(cursor, batchSize);
    const id = more && !singleBatch ? newCursorId() : Long.ZERO;
    if (!id.isZero()) this.#open.set(id.toString(), cursor);
    return new CursorBatch('firstBatch', docs, id, namespace);
  }

  /** Returns the next batch. Throws 43 for a cursor that is not open. */
  next(id: Long, namespace: string, batchSize: number, session: string | undefined): CursorBatch {
    const cursor = this.#open.get(id.toString());
    if (cursor === undefined) throw new CommandError(43, `cursor id ${id} not found`);
    if (cursor.namespace !== namespace) {
      throw new CommandError(
        13,
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      );
    }
    if (cursor.session !== session) {
      throw new CommandError(
        50738,
        `Cannot run getMore on cursor ${id}, which was created in another session`,
      );
    }
    const { docs, more } = take(cursor, batchSize);
    if (!more) this.#open.delete(id.toString());
    return new CursorBatch('nextBatch', docs, more ? id : Long.ZERO, namespace);
  }

  /** Closes a cursor. Returns false if it was not open. */
  kill(id: Long): boolean {
    return this.#open.delete(id.toString());
  }

  /** Closes the cursors of a session. */
  killSession(session: string): void {
    for (const [id, cursor] of this.#open) if (cursor.session === session) this.#open.delete(id);
  }
}

function newCursorId(): Long {
  return Long.fromBigInt(randomBytes(8).readBigUInt64BE() >> 2n).or(1);
}

/** Takes up to `batchSize` documents, and reads one more to know whether others follow. */
function take(cursor: OpenCursor, batchSize: number): { docs: ResultDoc[]; more: boolean } {
  const docs: ResultDoc[] = [];
  let bytes = 0;
  for (;;) {
    if (cursor.pending === undefined && docs.length < batchSize) cursor.pending = nextOf(cursor);
    const doc = cursor.pending;
    if (docs.length >= batchSize) return { docs, more: true };
    if (doc === undefined) return { docs, more: false };
    if (docs.length > 0 && bytes + doc.length > MAX_BATCH_BYTES) return { docs, more: true };
    docs.push(doc);
    bytes += doc.length;
    cursor.pending = undefined;
  }
}

function nextOf(cursor: OpenCursor): ResultDoc | undefined {
  const { value, done } = cursor.results.next();
  return done ? undefined : value;
}
