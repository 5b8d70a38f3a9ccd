import type { Addition } from '../job/addition.js';
import type { NewJob } from '../job/insert-job.js';
import type { Middlewares } from '../job/middleware.js';
import { withinTime } from '../mongo/within-time.js';
import type { MadeJob } from './make-planned.js';
import type { OccurrenceJob } from './occurrence-job.js';
import type { BrokenItem, PlannedItem } from './plan-items.js';

/** How long middleware may take. Other items wait meanwhile. */
const MAX_WAIT_MS = 3_000;

type Prepared = { readonly addition: Addition } & (
  | { readonly job: NewJob }
  | { readonly refusedBy: unknown }
);

/**
 * Lets middleware process the jobs of occurrences before the transaction that writes them. A user's code must not hold a
 * transaction open. It must not run again when the transaction is repeated. Does nothing without middleware.
 */
export class PreparedJobs {
  readonly #prepared = new Map<string, Prepared>();

  constructor(private readonly middlewares: Middlewares) {}

  /** Returns the items with jobs that are not prepared yet. */
  lacking(planned: readonly PlannedItem[]): readonly PlannedItem[] {
    if (!this.middlewares.isAround) return [];
    return planned.filter((each) => each.jobs.some((job) => !this.#prepared.has(keyOf(each, job))));
  }

  /** Prepares the jobs of these items. Never rejects; `take` returns any refusals. */
  async prepare(planned: readonly PlannedItem[]): Promise<void> {
    const all = planned.flatMap((each) => each.jobs.map((job) => ({ key: keyOf(each, job), job })));
    const missing = all.filter(({ key }) => !this.#prepared.has(key));
    await Promise.all(
      missing.map(async ({ key, job }) => {
        const addition = this.middlewares.begin(job);
        this.#prepared.set(key, await this.#whenReady(addition));
      }),
    );
  }

  /** Returns the items with their prepared jobs. Separately returns the items with a job that middleware refused. */
  take(planned: readonly PlannedItem[]): {
    readonly ready: readonly PlannedItem[];
    readonly refused: readonly BrokenItem[];
  } {
    if (!this.middlewares.isAround) return { ready: planned, refused: [] };
    const ready: PlannedItem[] = [];
    const refused: BrokenItem[] = [];
    for (const each of planned) {
      const prepared = each.jobs.map((job) => this.#prepared.get(keyOf(each, job)));
      const refusal = prepared.find((one) => one !== undefined && 'refusedBy' in one);
      if (refusal && 'refusedBy' in refusal)
        refused.push({ id: each.item._id, error: refusal.refusedBy, isRefused: true });
      else ready.push({ ...each, jobs: each.jobs.map((job, index) => asPrepared(job, prepared[index])) });
    }
    return { ready, refused };
  }

  /** Resolves `next` for jobs that were written, and waits for the middleware to end. */
  async written(made: readonly MadeJob[]): Promise<void> {
    if (this.#prepared.size === 0) return;
    const ids = new Set(made.map(({ id }) => id));
    const ended: Addition[] = [];
    for (const [key, prepared] of this.#prepared) {
      if (!('job' in prepared) || !ids.has(prepared.job.id)) continue;
      prepared.addition.written();
      ended.push(prepared.addition);
      this.#prepared.delete(key);
    }
    await this.middlewares.end(ended);
  }

  /** Makes `next` reject for prepared jobs that were not written. */
  close(): void {
    for (const { addition } of this.#prepared.values())
      addition.refuse(new Error('The job of this occurrence was not made here.'));
    this.#prepared.clear();
  }

  async #whenReady(addition: Addition): Promise<Prepared> {
    try {
      return { addition, job: await withinTime(MAX_WAIT_MS, addition.ready, 'A middleware') };
    } catch (refusedBy) {
      return { addition, refusedBy };
    }
  }
}

/** Returns the key of a prepared job. A changed item has another version, and so another key. */
function keyOf({ item }: PlannedItem, { occurrence }: OccurrenceJob): string {
  return JSON.stringify([item._id, item.version, occurrence.at]);
}

function asPrepared(job: OccurrenceJob, prepared: Prepared | undefined): OccurrenceJob {
  if (prepared === undefined || !('job' in prepared)) return job;
  return { ...prepared.job, runAt: job.runAt, occurrence: job.occurrence };
}
