import type { GroupProgress, GroupStatus } from '../../../src/index.js';
import { groupProgressText, paceOf, rateText } from '../../group-progress.js';
import { duration } from './parts/moment.js';
import { Bar } from './parts/progress.js';

/** Classes of statuses of jobs, which give the colors. */
const looks = {
  adding: 'queued',
  running: 'processing',
  completed: 'completed',
  failed: 'error',
  cancelled: 'cancelled',
} as const satisfies Record<GroupStatus, string>;

export function GroupState({ status }: { status: GroupStatus }) {
  return <span class={`status ${looks[status]}`}>{status}</span>;
}

/** Shows how many jobs of a batch or a workflow have completed, how fast they end, and how long the others take. */
export function GroupBar({ group, now }: { group: GroupProgress; now: Date }) {
  const { size, completed, status, created } = group;
  const isGoing = status === 'running' || status === 'adding';
  const pace = isGoing ? paceOf(group, now.getTime() - created.getTime()) : undefined;
  return (
    <div>
      {size > 0 && <Bar fraction={completed / size} />} <span>{groupProgressText(group)}</span>
      {pace && (
        <div class="quiet">
          {rateText(pace)}, about {duration(pace.leftMs)} left
        </div>
      )}
    </div>
  );
}
