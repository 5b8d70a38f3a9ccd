import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { WorkerDocument } from './worker-document.js';

/** A worker that was killed while it waited keeps the others from waiting for so long. */
const HELD_MS = 15_000;

/** Well before that. */
const RENEW_MS = 5_000;

/**
 * The one place in which a worker with nothing to do waits for a job: two would wait for the same one, and both be paid
 * for. It is a document beside those of workers, and counts as none.
 */
export class WaitingPlace {
  readonly #id: string;
  #takenAt = Number.NEGATIVE_INFINITY;

  /** @param processor those of one name share a place */
  constructor(
    private readonly workers: Collection<WorkerDocument>,
    private readonly processor: string,
    private readonly worker: string,
  ) {
    this.#id = `waiting ${processor}`;
  }

  /** Whether it is this worker's, for the next seconds. @throws what the driver throws */
  async take(): Promise<boolean> {
    if (performance.now() - this.#takenAt < RENEW_MS) return true;
    const isFree = { $not: { $gt: ['$expires', '$$NOW'] } };
    const isMine = { $eq: ['$worker', { $literal: this.worker }] };
    const unlessTaken = (value: unknown, field: string) => ({
      $cond: [{ $or: [isFree, isMine] }, value, field],
    });
    const fields = {
      processor: { $literal: this.processor },
      worker: unlessTaken({ $literal: this.worker }, '$worker'),
      expires: unlessTaken({ $add: ['$$NOW', HELD_MS] }, '$expires'),
    };
    const place = await this.workers.findOneAndUpdate({ _id: this.#id }, [{ $set: fields }], {
      upsert: true,
      returnDocument: 'after',
      ...byId,
    });
    if (place?.worker !== this.worker) return false;
    this.#takenAt = performance.now();
    return true;
  }

  /** Leaves it to others. @throws what the driver throws */
  async leave(): Promise<void> {
    if (this.#takenAt === Number.NEGATIVE_INFINITY) return;
    this.#takenAt = Number.NEGATIVE_INFINITY;
    await this.workers.deleteOne({ _id: this.#id, worker: this.worker }, byId);
  }
}
