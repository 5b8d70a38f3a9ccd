import type { Document } from 'mongodb';
import type { Outcome, Settlement } from './outcome.js';

/** Returns stages that free the places of a job. A completed or cancelled job holds none in any case. See `slotIndex`. */
export function freeingSlots({ kind }: Outcome, flow: Settlement['flow']): Document[] {
  if (kind === 'completed') return [];
  if (kind === 'givenBack') return [unslottedAfterError];
  if (flow === 'limited') return [{ $unset: ['slots', 'postponedBy'] }];
  const slots = {
    $switch: {
      branches: [
        { case: { $eq: ['$status', 'queued'] }, then: placesUntilSettled },
        { case: { $and: [{ $eq: ['$status', 'error'] }, isStopped] }, then: placeInOrder },
      ],
      default: '$$REMOVE',
    },
  };
  return [{ $set: { slots, postponedBy: '$$REMOVE' } }];
}

/** The place of a job in its strict order. Missing if it has none. */
export const placeInOrder = placesIn('order');

/** The places that a job keeps until it is settled. See `isHeldUntilSettled`. */
export const placesUntilSettled = placesIn('order', 'unique');

/** Whether a failed job holds up the jobs behind it. */
const isStopped = { $in: [true, { $ifNull: ['$limits.stops', []] }] };

/** Frees the places of a job that was not begun or was given back, if it has ended in `error` instead. */
export const unslottedAfterError = {
  $set: {
    slots: {
      $cond: [{ $eq: ['$status', 'error'] }, { $cond: [isStopped, placeInOrder, '$$REMOVE'] }, '$slots'],
    },
  },
};

/** Lets a queued job come to its limits anew, without a place in any. */
export const withoutLimits = { blockedBy: '$$REMOVE', slots: '$$REMOVE', postponedBy: '$$REMOVE' };

/** Does what `withoutLimits` does, except that a failed job that holds up a strict order keeps its place in it. */
export const withoutLimitsExceptOrder = {
  ...withoutLimits,
  slots: { $cond: [{ $eq: ['$status', 'error'] }, placeInOrder, '$$REMOVE'] },
};

/** Returns an expression for the places in limits whose keys begin with one of these words. Missing if there are none. */
function placesIn(...kinds: readonly string[]): Document {
  const isOne = { $or: kinds.map((kind) => ({ $eq: [{ $indexOfCP: ['$$slot.key', `${kind} `] }, 0] })) };
  const held = { $filter: { input: { $ifNull: ['$slots', []] }, as: 'slot', cond: isOne } };
  return { $let: { vars: { held }, in: { $cond: [{ $eq: ['$$held', []] }, '$$REMOVE', '$$held'] } } };
}
