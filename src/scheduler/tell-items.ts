import type { Logger } from '../log.js';
import type { BrokenItem } from './plan-items.js';

/** Maximum number of ids in one line of the log. */
const MAX_TOLD = 10;

const UNREADABLE = 'A scheduler item makes no jobs: its document cannot be read';
const REFUSED = 'Middleware refused the job of a scheduler item: the next tick tries again';

export function tellHeld(ids: readonly string[], log: Logger): void {
  if (ids.length === 0) return;
  const message =
    'Scheduler items are left to a later tick: another transaction holds them, perhaps of a process that was killed';
  log.warn(message, { count: ids.length, items: ids.slice(0, MAX_TOLD) });
}

/** Logs the broken items, and returns their ids. Each tick logs them again, until somebody repairs them. */
export function tellBroken(broken: readonly BrokenItem[], log: Logger): string[] {
  for (const { id: item, error, isRefused } of broken)
    log.error(isRefused ? REFUSED : UNREADABLE, { item, error: String(error) });
  return broken.map(({ id }) => id);
}
