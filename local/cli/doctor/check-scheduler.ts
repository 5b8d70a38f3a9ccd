import ms from 'ms';
import type { Api } from '../api/api.js';
import { pagesOf } from '../pages.js';
import { type ShownSchedule, schedulesShape } from '../schedules/schedule-shape.js';
import { examine, type Finding, failure, ok } from './finding.js';

const PAGE_SIZE = 1000;

/** The same threshold as in the alarm of a deployment. */
const SILENT_MS = 5 * 60_000;

/**
 * Checks that the scheduler runs. If it does, no active item stays due for long.
 *
 * @param now by the clock of the database
 */
export async function checkScheduler(api: Api, now: number): Promise<readonly Finding[]> {
  const fix =
    'Check that the scheduler function is invoked every minute and read its log, or start remote-processor schedule';
  return examine('scheduler', fix, async () => {
    const listing = { path: '/v1/schedulers', query: { brief: 'true' }, shape: schedulesShape };
    const active: ShownSchedule[] = [];
    for await (const { page } of pagesOf(api, listing, { limit: PAGE_SIZE }))
      active.push(...page.schedulers.filter((item) => item.active));
    const late = active
      .map(({ id, nextCallTime }) => ({
        id,
        lateMs: nextCallTime === null ? 0 : now - Date.parse(nextCallTime),
      }))
      .filter(({ lateMs }) => lateMs >= SILENT_MS)
      .sort((a, b) => b.lateMs - a.lateMs);
    const [latest] = late;
    if (latest === undefined)
      return ok(
        'scheduler',
        active.length === 0 ? 'no scheduler item is active' : 'no scheduler item is late',
      );
    const detail = `${late.length} of ${active.length} active items are late, '${latest.id}' by ${ms(latest.lateMs)}`;
    return failure('scheduler', detail, fix);
  });
}
