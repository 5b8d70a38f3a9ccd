import type { Logger } from '../log.js';
import type { Collections } from '../mongo/collections.js';
import { type DefaultsOf, fireDueItems, type Made } from './fire-due-items.js';
import type { BrokenItem } from './plan-items.js';

/** How many occurrences of one item a tick makes at most: one with many missed ones must not hold up the others. */
export const MAX_OCCURRENCES_PER_TICK = 500;

/** Per transaction. */
const BATCH = { items: 500, jobs: 1000, perItem: MAX_OCCURRENCES_PER_TICK };

/**
 * For how long a transaction is begun again as it is after a conflict. Two schedulers that meet, or a person's change,
 * are done by then. What is held for longer is so by a process that was killed, or is very slow.
 */
const PATIENCE_MS = 500;

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

/**
 * Makes the jobs of all due items, batch by batch, and returns the ids of the jobs.
 *
 * A batch with an item that another transaction holds is set aside, and made in halves when all else is done, so that no
 * item waits for one that is held. Those are left to a later tick. None is left that two schedulers both tried: the last
 * one to try it either makes it, or meets a transaction that does.
 */
export async function scheduleDueItems(
  collections: Collections,
  defaultsOf: DefaultsOf,
  { aheadMs, deadline }: TickOptions,
  log: Logger,
): Promise<string[]> {
  const limits = { ...BATCH, aheadMs, deadline };
  const jobIds: string[] = [];
  const over = new Set<string>();
  const take = (made: Made): void => {
    jobIds.push(...made.jobIds);
    for (const id of [...made.cut, ...told(made.broken, log)]) over.add(id);
  };

  const aside: (readonly string[])[] = [];
  while (Date.now() < deadline) {
    const except = [...over, ...aside.flat()];
    const fired = await fireDueItems(collections, defaultsOf, limits, { except }, PATIENCE_MS);
    if (fired.kind === 'done') break;
    if (fired.kind === 'made') take(fired);
    else aside.push(...halves(fired.ids));
  }

  const held: string[] = [];
  for (let conflicts = 0; conflicts < MAX_CONFLICTS && Date.now() < deadline; ) {
    const only = aside.shift()?.filter((id) => !over.has(id));
    if (only === undefined) break;
    const fired = await fireDueItems(collections, defaultsOf, limits, { only }, 0);
    if (fired.kind === 'done') continue;
    if (fired.kind === 'made') {
      take(fired);
      aside.unshift(only);
      continue;
    }
    conflicts += 1;
    const { ids } = fired;
    aside.push(...halves(only.filter((id) => !ids.includes(id))));
    if (ids.length > 1) aside.push(...halves(ids));
    else held.push(...ids);
  }
  tellHeld([...held, ...aside.flat()], log);
  return jobIds;
}

/** Makes the job of one occurrence of the item that is due longest, and returns its id; undefined when none is due. */
export async function scheduleNextJob(
  collections: Collections,
  defaultsOf: DefaultsOf,
  log: Logger,
): Promise<string | undefined> {
  const one = { items: 1, jobs: 1, perItem: 1, aheadMs: 0, deadline: Number.POSITIVE_INFINITY };
  const except: string[] = [];
  for (;;) {
    const fired = await fireDueItems(collections, defaultsOf, one, { except }, PATIENCE_MS);
    switch (fired.kind) {
      case 'done':
        return undefined;
      case 'held':
        tellHeld(fired.ids, log);
        except.push(...fired.ids);
        break;
      case 'made':
        // An item may have moved on without a job: its occurrence was skipped or too old. Then the next one is looked at.
        if (fired.jobIds.length > 0) return fired.jobIds[0];
        except.push(...told(fired.broken, log));
    }
  }
}

/** Two, one, or none, as long as there is something in them. */
function halves(ids: readonly string[]): (readonly string[])[] {
  const middle = Math.ceil(ids.length / 2);
  return [ids.slice(0, middle), ids.slice(middle)].filter(({ length }) => length > 0);
}

/** How many ids stand in a line of the log. */
const MAX_TOLD = 10;

function tellHeld(ids: readonly string[], log: Logger): void {
  if (ids.length === 0) return;
  const message =
    'Scheduler items are left to a later tick: another transaction holds them, perhaps of a process that was killed';
  log.warn(message, { count: ids.length, items: ids.slice(0, MAX_TOLD) });
}

/** Their ids. Each tick tells again, until somebody sees to it. */
function told(broken: readonly BrokenItem[], log: Logger): string[] {
  for (const { id: item, error } of broken)
    log.error('A scheduler item makes no jobs: its document cannot be read', { item, error: String(error) });
  return broken.map(({ id }) => id);
}
