import type { Document } from 'mongodb';
import { attemptNotUsedUp, stillUnfinished } from './attempt-counters.js';
import type { HeldSlot, JobLimit } from './flow-rules.js';
import { placesUntilSettled } from './held-places.js';
import { leaveProcessing, whenQueued } from './leave-processing.js';

/** Destination of a claimed job that may not run yet. */
export type TurnedAway =
  /** The job waits in line for a place in a limit, and keeps the places that it has. */
  | {
      readonly kind: 'blocked';
      readonly by: string;
      readonly limits: readonly JobLimit[];
      readonly slots: readonly HeldSlot[];
    }
  /** The job waits for the moment that a rate limit gave it. Absent `by`: the index of places is missing. */
  | { readonly kind: 'postponed'; readonly until: Date; readonly by?: string }
  /** The job goes back to where it was, because the worker has no room. */
  | { readonly kind: 'returned' };

/** Returns the update pipeline that returns a claimed job to the queue before its attempt began. */
export function turnAway(to: TurnedAway): Document[] {
  const { givenBackCounter: _, ...notBegun } = attemptNotUsedUp;
  const kept = { ...notBegun, ...stillUnfinished, queued: '$queued', started: '$$REMOVE' };
  switch (to.kind) {
    case 'blocked': {
      const { by, limits, slots } = to;
      const claimable = whenQueued(false, '$$REMOVE');
      const blockedBy = whenQueued({ $literal: by }, '$$REMOVE');
      return leaveProcessing('queued', {
        ...kept,
        claimable,
        blockedBy,
        limits: { $literal: limits },
        slots: slots.length > 0 ? { $literal: slots } : '$$REMOVE',
      });
    }
    case 'postponed':
      return leaveProcessing('queued', {
        ...kept,
        runAt: to.until,
        postponedBy: to.by === undefined ? '$$REMOVE' : { $literal: to.by },
        slots: placesUntilSettled,
      });
    case 'returned':
      return leaveProcessing('queued', kept);
  }
}
