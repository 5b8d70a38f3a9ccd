import type { OperationInfo, OperationState } from '../../../src/index.js';
import { operationProgressText } from './operation-words.js';
import { Bar } from './parts/progress.js';

/** Classes of statuses of jobs, which give the colors. */
const looks = {
  running: 'processing',
  done: 'completed',
  stopped: 'cancelled',
  undoing: 'processing',
  undone: 'cancelled',
} as const satisfies Record<OperationState, string>;

export function OperationStateLabel({ state }: { state: OperationState }) {
  return <span class={`status ${looks[state]}`}>{state}</span>;
}

/** Shows how many of the jobs of an operation are changed or skipped. Shows no bar if the total is unknown. */
export function OperationBar({ operation }: { operation: OperationInfo }) {
  const { done, skipped, state, total } = operation;
  const seen = done + skipped;
  // Jobs may have come or gone since they were counted.
  const fraction =
    state === 'done' ? 1 : total.isCapped ? undefined : Math.min(1, seen / Math.max(1, total.count));
  return (
    <div>
      {fraction !== undefined && <Bar fraction={fraction} />} <span>{operationProgressText(operation)}</span>
    </div>
  );
}
