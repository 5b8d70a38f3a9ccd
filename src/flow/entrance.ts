import type { ClientSession } from 'mongodb';
import { ValidationError } from '../errors.js';
import { isLined, isOrder, isTurn, type JobLimit } from '../job/flow-rules.js';
import type { NewJob } from '../job/insert-job.js';
import type { QueuedJob } from '../job/queued-job.js';
import type { Logger } from '../log.js';
import type { FlowCollections } from './limit-document.js';
import type { Lines } from './lines.js';
import { takeMoments } from './moments-in-order.js';

/** Options of an entrance. */
export interface EntranceOptions {
  readonly collections: FlowCollections;
  readonly lines: Lines;
  readonly log: Logger;
}

/**
 * Puts new jobs into the lines of strict orders and of keys that take turns. Such a job is stored as blocked, so that
 * no claim can see it before its turn. All other jobs meet their limits when they are claimed.
 */
export class Entrance {
  /** Lines of jobs that were added in transactions. */
  readonly #later = new Map<string, JobLimit>();
  /** Limits whose places transactions free. */
  readonly #freedLater = new Set<string>();

  constructor(private readonly options: EntranceOptions) {}

  /**
   * Puts new jobs in line that must not overtake others. Costs nothing for jobs without a strict order and turns.
   *
   * In a strict order, each job gets a `runAt` of its own, later than those of the jobs before it. A job that takes turns
   * gets in line later, when it is claimed, in three cases: it is delayed, waits for other jobs, or is added in a
   * transaction.
   */
  readonly putInLine = async (
    jobs: readonly NewJob[],
    session: ClientSession | undefined,
  ): Promise<readonly NewJob[]> => {
    if (jobs.every(({ limits }) => limits === undefined)) return jobs;
    const ordered = await this.#putInOrder(jobs, session);
    if (session?.inTransaction()) return ordered;
    const lined = ordered.map(toTakeTurns);
    const turns = lined.flatMap(({ blockedBy = '' }) => (isTurn(blockedBy) ? [blockedBy] : []));
    await this.options.lines.note(turns);
    return lined;
  };

  /**
   * Lets jobs run that are first in the lines of these jobs, if there are places. Returns the jobs that may run now. If the
   * call fails, somebody looks after the lines within a minute.
   *
   * @param freed keys of limits in which others lost their places
   */
  open(jobs: readonly NewJob[], freed: ReadonlySet<string>): Promise<QueuedJob[]> {
    return this.#open(linesOf(jobs), freed);
  }

  /** Remembers the lines of jobs that were added in a transaction, and the limits whose places it frees. */
  openLater(jobs: readonly NewJob[], freed: Iterable<string>): void {
    for (const [key, limit] of linesOf(jobs)) this.#later.set(key, limit);
    for (const key of freed) this.#freedLater.add(key);
  }

  /** Does what `open` does for all lines that were to be opened later. Call it once the transaction has committed. */
  async openAll(): Promise<QueuedJob[]> {
    const lines = new Map(this.#later);
    const freed = new Set(this.#freedLater);
    this.#later.clear();
    this.#freedLater.clear();
    return this.#open(lines, freed);
  }

  async #open(lines: ReadonlyMap<string, JobLimit>, freed: ReadonlySet<string>): Promise<QueuedJob[]> {
    const [first, ...others] = lines.values();
    try {
      if (others.length > 0 || freed.size > 0)
        return await this.options.lines.unblock([...lines.keys(), ...freed]);
      return first === undefined ? [] : await this.options.lines.offer(first);
    } catch (error) {
      this.options.log.warn('Jobs in line could not be let run', { error: String(error) });
      return [];
    }
  }

  async #putInOrder(jobs: readonly NewJob[], session: ClientSession | undefined): Promise<readonly NewJob[]> {
    const counts = new Map<string, number>();
    for (const job of jobs) {
      const order = orderOf(job);
      if (!order) continue;
      // Middleware may have changed it.
      if (job.priority !== 0) throw new ValidationError('A job that middleware changed', [noPriority]);
      counts.set(order.key, (counts.get(order.key) ?? 0) + 1);
    }
    if (counts.size === 0) return jobs;
    const { collections, lines } = this.options;
    const next = await takeMoments(collections.limits, counts, lines.lookMs, session);
    return jobs.map((job) => {
      const order = orderOf(job);
      const runAt = order && next.get(order.key);
      if (!order || !runAt) return job;
      next.set(order.key, new Date(runAt.getTime() + 1));
      return { ...job, runAt, blockedBy: order.key };
    });
  }
}

const noPriority = {
  path: 'priority',
  message: 'expected none: its jobs run in the order in which they are added',
};

function orderOf({ limits = [] }: NewJob): JobLimit | undefined {
  return limits.find(({ key }) => isOrder(key));
}

function toTakeTurns(job: NewJob): NewJob {
  const turn = job.limits?.find(({ key }) => isTurn(key));
  const isInLine =
    turn === undefined || job.blockedBy !== undefined || job.runAt !== 0 || job.waitsFor !== undefined;
  return isInLine ? job : { ...job, blockedBy: turn.key };
}

/** The lines in which these jobs wait, by key. */
function linesOf(jobs: readonly NewJob[]): Map<string, JobLimit> {
  const limits = jobs.flatMap(({ blockedBy, limits = [] }) => limits.filter(({ key }) => key === blockedBy));
  return new Map(limits.filter(isLined).map((limit) => [limit.key, limit]));
}
