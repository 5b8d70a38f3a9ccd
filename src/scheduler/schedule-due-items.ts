import type { Logger } from '../log.js';
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
import type { SchedulerCollections } from './scheduler-collection.js';
import { tellBroken, tellHeld } from './tell-items.js';

/** Maximum number of occurrences of one item per tick. An item with many missed ones must not hold up the others. */
export const MAX_OCCURRENCES_PER_TICK = 500;

/** Limits per transaction. */
const BATCH = { items: 500, jobs: 1000, perItem: MAX_OCCURRENCES_PER_TICK };

/**
 * Maximum number of conflicts of a tick while it works around held items. Finding one held item among 500 costs 9 conflicts. A
 * killed scheduler leaves whole batches held. Trying each of their items is not worthwhile.
 */
const MAX_CONFLICTS = 200;

export interface TickOptions {
  /** How far ahead occurrences are made. */
  readonly aheadMs: number;
  /** When the tick must end, in milliseconds since the epoch. The next tick makes the remaining jobs. */
  readonly deadline: number;
}

export async function scheduleDueItems(
  collections: SchedulerCollections,
  maker: JobMaker,
  options: TickOptions,
  log: Logger,
): Promise<MadeJob[]> {
  return makingJobs(maker, (making) => new Tick(collections, making, { ...BATCH, ...options }, log).run());
}

type Ids = readonly string[];

/** A call of `scheduleDueItems`. An item that is held, or has much to catch up on, delays no other item. */
class Tick {
  readonly #made: MadeJob[] = [];
  /** Ids of items left to a later tick, because they are broken, held, or at the limit of occurrences. */
  readonly #over = new Set<string>();
  /**
   * Items that one transaction did not finish. Maps each id to the number of occurrences that the item has moved past
   * in this tick.
   */
  readonly #cut = new Map<string, number>();

  constructor(
    private readonly collections: SchedulerCollections,
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

  /**
   * Makes all jobs, except those of batches in which another transaction holds an item. Returns the halves of these batches.
   */
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
   * Tries the halves of held batches, and halves them again as needed. Returns the ids of held items. An item that two
   * schedulers try at once is not among them: the second one makes its jobs, or conflicts with a transaction that does.
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

  /** Continues with the items that one transaction did not finish. Returns the ids of held items. */
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
      // A further transaction of this size would exceed the limit.
      if (sum + count > MAX_OCCURRENCES_PER_TICK) this.#over.add(id);
    }
  }
}

/** Returns the halves that are not empty. */
function halves(ids: Ids): Ids[] {
  const middle = Math.ceil(ids.length / 2);
  return [ids.slice(0, middle), ids.slice(middle)].filter(({ length }) => length > 0);
}
