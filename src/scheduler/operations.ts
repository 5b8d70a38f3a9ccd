/** Gathers the operations on scheduler items, so that they are loaded together on demand. */
export { addItem } from './add-item.js';
export { findHistory } from './find-history.js';
export { findItem } from './find-items.js';
export { findNextItems, listItems } from './list-items.js';
export { preview } from './preview.js';
export { removeItem } from './remove-item.js';
export { rescheduleItem, rescheduleItems } from './reschedule-items.js';
export { runNow } from './run-now.js';
export { scheduleDueItems } from './schedule-due-items.js';
export { scheduleNextJob } from './schedule-next-job.js';
export { activateItem, deactivateItem } from './switch-item.js';
export { syncItems } from './sync-items.js';
export { findUpcoming } from './upcoming.js';
export { updateItem } from './update-item.js';
