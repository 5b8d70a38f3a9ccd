import ms from 'ms';
import { BEGINNING_OF_TIME } from '../mongo/any-moment.js';
import { byIndex } from '../mongo/by-index.js';
import { dueItems, ourItem } from '../scheduler/scheduler-collection.js';
import type { VerdictFinding } from './finding.js';
import { before, type Situation } from './situation.js';

/** How long an item may stay due. The alarm of a deployment uses the same time. */
export const LATE_MS = ms('5m');

const MAX_COUNTED = 100;

/** Finds active schedules whose next job was not made. While the scheduler runs, no item stays due for long. */
export async function findLateSchedules(situation: Situation): Promise<VerdictFinding[]> {
  const { scheduler } = situation.collections;
  const late = {
    ...ourItem,
    active: true,
    nextCallTime: { $gte: BEGINNING_OF_TIME, $lte: before(situation, LATE_MS) },
  };
  const options = {
    sort: { nextCallTime: 1 },
    limit: MAX_COUNTED,
    batchSize: MAX_COUNTED + 1,
    projection: { nextCallTime: 1 },
  } as const;
  const items = await byIndex(scheduler, dueItems, (hint) =>
    scheduler.find(late, { ...options, ...hint }).toArray(),
  );
  const [latest] = items;
  if (!latest?.nextCallTime) return [];
  const { _id: name, nextCallTime: since } = latest;
  const isCapped = items.length >= MAX_COUNTED;
  const others = items.length === 1 ? '' : `, and ${items.length - 1}${isCapped ? '+' : ''} more are late`;
  return [
    {
      code: 'late_schedules',
      severity: 'failure',
      about: { type: 'schedule', name },
      text: `schedule '${name}' is late by ${ms(situation.now.getTime() - since.getTime())}${others}`,
      advice:
        'Check that the scheduler function is invoked every minute and read its log, or start remote-processor schedule',
      since,
      actions: ['see'],
    },
  ];
}
