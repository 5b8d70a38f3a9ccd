import type { Logger } from '../log.js';
import type { Collections } from '../mongo/collections.js';
import {
  type Fired,
  type FireLimits,
  fireDueItems,
  type Made,
  PATIENCE_MS,
  type Which,
} from './fire-due-items.js';
import { type JobMaker, type JobMaking, makingJobs } from './job-making.js';
import type { MadeJob } from './make-planned.js';
import { tellBroken, tellHeld } from './tell-items.js';

/** How many occurrences of one item a tick makes at most: one with many missed ones must not hold up the others. */
export const MAX_OCCURRENCES_PER_TICK = 500;

/** Per transaction. */
const BATCH = { items: 500, jobs: 1000, perItem: MAX_OCCURRENCES_PER_TICK };

/**
 * How many conflicts a tick meets on its way around what is held. One item among 500 that is held costs 9; where whole
 * batches are, which a killed scheduler leaves, it is not worth while to try each item.
 */
const MAX_CONFLICTS = 200;

export interface TickOptions {
  /** Occurrences that are due within so long are made ahead. */
  readonly aheadMs: number;
  /** When it has to end, in milliseconds since the epoch: what is left then is due at the next tick. */
  readonly deadline: number;
}

/** Makes the jobs of all due items, batch by batch, and returns the jobs. */
export async function scheduleDueItems(
  collections: Collections,
  maker: JobMaker,
  options: TickOptions,
  log: Logger,
): Promise<MadeJob[]> {
  return makingJobs(maker, (making) => new Tick(collections, making, { ...BATCH, ...options }, log).run());
}

type Ids = readonly string[];

/** One call of `scheduleDueItems`. No item waits for one that is held, or that has much to catch up on. */
class Tick {
  readonly #made: MadeJob[] = [];
  /** Ids of items that are left to a later tick: broken, held, or at the limit of occurrences. */
  readonly #over = new Set<string>();
  /** Items of which one transaction did not make all, by their ids: how many occurrences they moved past in this tick. */
  readonly #cut = new Map<string, number>();

  constructor(
    private readonly collections: Collections,
    private readonly making: JobMaking,
    private readonly limits: FireLimits,
    private readonly log: Logger,
  ) {}

  async run(): Promise<MadeJob[]> {
    const aside = await this.#makeAll();
    const held = await this.#makeInHalves(aside);
    held.push(...(await this.#makeMore()));
    tellHeld(held, this.log);
    return this.#made;
  }

  /** Sets those batches aside in which another transaction holds an item: their halves. */
  async #makeAll(): Promise<Ids[]> {
    const aside: Ids[] = [];
    while (this.#hasTime()) {
      const except = [...this.#over, ...this.#cut.keys(), ...aside.flat()];
      const fired = await this.#fire({ except }, PATIENCE_MS);
      if (fired.kind === 'done') break;
      if (fired.kind === 'held') aside.push(...halves(fired.ids));
    }
    return aside;
  }

  /**
   * Returns the ids of what is held. None is among them that two schedulers both tried: the last one to try it either
   * makes it, or meets a transaction that does.
   */
  async #makeInHalves(aside: Ids[]): Promise<string[]> {
    const held: string[] = [];
    for (let conflicts = 0; conflicts < MAX_CONFLICTS && this.#hasTime(); ) {
      const only = aside.shift()?.filter((id) => !this.#over.has(id) && !this.#cut.has(id));
      if (only === undefined) break;
      const fired = await this.#fire({ only }, 0);
      if (fired.kind === 'made') aside.unshift(only);
      if (fired.kind !== 'held') continue;
      conflicts += 1;
      const { ids } = fired;
      aside.push(...halves(only.filter((id) => !ids.includes(id))));
      if (ids.length > 1) aside.push(...halves(ids));
      else held.push(...ids);
    }
    return [...held, ...aside.flat()];
  }

  /** Goes on with what one transaction did not make all of. Returns the ids of those that are held. */
  async #makeMore(): Promise<string[]> {
    const held: string[] = [];
    while (this.#hasTime()) {
      const only = [...this.#cut.keys()].filter((id) => !this.#over.has(id));
      if (only.length === 0) break;
      const fired = await this.#fire({ only }, PATIENCE_MS);
      if (fired.kind === 'done') break;
      if (fired.kind === 'made') continue;
      held.push(...fired.ids);
      for (const id of fired.ids) this.#over.add(id);
    }
    return held;
  }

  #hasTime(): boolean {
    return Date.now() < this.limits.deadline;
  }

  async #fire(which: Which, patienceMs: number): Promise<Fired> {
    const fired = await fireDueItems(this.collections, this.making, this.limits, which, patienceMs);
    if (fired.kind === 'made') this.#take(fired);
    return fired;
  }

  #take({ jobs, cut, broken }: Made): void {
    this.#made.push(...jobs);
    for (const id of tellBroken(broken, this.log)) this.#over.add(id);
    for (const [id, count] of cut) {
      const sum = (this.#cut.get(id) ?? 0) + count;
      this.#cut.set(id, sum);
      // As many again would be too many.
      if (sum + count > MAX_OCCURRENCES_PER_TICK) this.#over.add(id);
    }
  }
}

/** Two, one, or none, as long as there is something in them. */
function halves(ids: Ids): Ids[] {
  const middle = Math.ceil(ids.length / 2);
  return [ids.slice(0, middle), ids.slice(middle)].filter(({ length }) => length > 0);
}
