import type { Collection } from 'mongodb';
import { byId } from '../mongo/by-index.js';
import type { WorkerDocument } from './worker-document.js';

/** How long a permit lasts. A worker that was killed while it waited keeps others from waiting for this long. */
const HELD_MS = 15_000;

/** How often the permit is renewed, well before it expires. */
const RENEW_MS = 5_000;

/**
 * The permit of an idle worker to wait for a job. There is only one permit. Two workers would wait for the same job, and
 * both would be paid for. The permit is a document in the collection of workers, but does not count as a worker.
 */
export class LingerPermit {
  readonly #id: string;
  #takenAt = Number.NEGATIVE_INFINITY;

  /** @param processor name of the processor. All processors of this name share a permit */
  constructor(
    private readonly workers: Collection<WorkerDocument>,
    private readonly processor: string,
    private readonly worker: string,
  ) {
    this.#id = `waiting ${processor}`;
  }

  /** Returns whether this worker has the permit for the next seconds. @throws the driver's errors */
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

  /** Frees the permit for others. @throws the driver's errors */
  async leave(): Promise<void> {
    if (this.#takenAt === Number.NEGATIVE_INFINITY) return;
    this.#takenAt = Number.NEGATIVE_INFINITY;
    await this.workers.deleteOne({ _id: this.#id, worker: this.worker }, byId);
  }
}
