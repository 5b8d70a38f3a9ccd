import type { Attempt } from './attempt.js';
import { Batch } from './batch.js';
import type { DrainLimits } from './drain-scope.js';

/** A batch waits no longer than this share of the worker's remaining time, so that it runs. */
const MAX_SHARE_WAITED = 1 / 2;

/** The batches of one drain: the newest of each kind of jobs. */
export class Batches {
  readonly #newest = new Map<string, Batch>();

  /** @param onDue called when a batch has waited long enough for more jobs */
  constructor(
    private readonly limits: DrainLimits,
    private readonly onDue: () => void,
  ) {}

  /** The batches that have not begun. */
  get open(): readonly Batch[] {
    return [...this.#newest.values()].filter(({ hasBegun }) => !hasBegun);
  }

  /** Adds an attempt to the batch of its kind. Returns whether there is one with a seat for it. */
  join(attempt: Attempt): boolean {
    return this.#newest.get(attempt.job.jobName)?.add(attempt) ?? false;
  }

  /** Opens a batch with its first attempt. Returns false if the attempt has a call of its own, as `processNextJob` gives it. */
  begin(first: Attempt): boolean {
    const { batch: rules } = first.factory;
    if (!rules || this.limits.maxJobs === 1) return false;
    const leftMs = Math.max(0, this.limits.stopAt - Date.now());
    const waitMs = Math.min(rules.waitMs, leftMs * MAX_SHARE_WAITED);
    this.#newest.set(first.job.jobName, new Batch(first, rules.size, waitMs, this.onDue));
    return true;
  }

  /**
   * Takes an attempt that has ended out of its batch. Returns whether that frees the slot, because no other attempt shares
   * it.
   */
  leave(attempt: Attempt): boolean {
    const { batch, job } = attempt;
    if (!batch) return true;
    if (!batch.remove(attempt)) return false;
    if (this.#newest.get(job.jobName) === batch) this.#newest.delete(job.jobName);
    return true;
  }
}
