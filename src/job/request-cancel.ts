import type { Document } from 'mongodb';
import { byStatus, whenQueued } from './leave-processing.js';

/** Returns the update pipeline that cancels a queued job, or notes that a running job is to be cancelled. */
export function requestCancel(): Document[] {
  const cancelRequested = { $ifNull: ['$cancelRequested', '$$NOW'] };
  const status = whenQueued('cancelled', '$status');
  return [
    { $set: { status, cancelRequested, claimable: '$$REMOVE', blockedBy: '$$REMOVE' } },
    { $set: byStatus },
  ];
}
