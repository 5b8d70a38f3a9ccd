import type { JobConditions, OperationInfo } from '../../../src/index.js';
import { grouped } from './parts/number.js';

/** Returns what an operation does, in words. */
export function actionText({
  action,
  to,
  priority,
}: Pick<OperationInfo, 'action' | 'to' | 'priority'>): string {
  switch (action) {
    case 'retry':
      return 'Retry jobs';
    case 'cancel':
      return 'Cancel jobs';
    case 'remove':
      return 'Remove jobs';
    case 'move':
      return `Move jobs to queue ${to}`;
    case 'reprioritise':
      return `Give jobs priority ${priority}`;
  }
}

/** Returns which jobs a filter selects, in words, such as `status error, job webhook`. */
export function conditionsText(conditions: JobConditions): string {
  const { status, jobName, queue, key, errorText, failureKey } = conditions;
  return [
    status && `status ${status}`,
    jobName && `job ${jobName}`,
    queue && `queue ${queue}`,
    key && `key ${key}`,
    errorText && `errors with "${errorText}"`,
    failureKey && `failure ${failureKey}`,
  ]
    .filter(Boolean)
    .join(', ');
}

const dones = {
  retry: 'queued again',
  cancel: 'cancelled, or asked to stop',
  remove: 'removed',
  move: 'moved',
  reprioritise: 'changed',
} as const satisfies Record<OperationInfo['action'], string>;

/**
 * Returns how far an operation has come, such as `500 of 3,226: 490 queued again, 10 skipped`. Leaves out the total if
 * it is unknown.
 */
export function operationProgressText({ action, state, ...counts }: OperationInfo): string {
  const { done, skipped, undone, total } = counts;
  const isUndone = state === 'undoing' || state === 'undone';
  const parts = [
    `${grouped(done)} ${dones[action]}`,
    ...(skipped > 0 ? [`${grouped(skipped)} skipped`] : []),
    ...(isUndone ? [`${grouped(undone)} undone`] : []),
  ];
  const rest = state === 'undone' && undone < done ? '; the others had begun, or were changed again' : '';
  const of = total.isCapped ? '' : `${grouped(done + skipped)} of ${grouped(total.count)}: `;
  return `${of}${parts.join(', ')}${rest}`;
}
