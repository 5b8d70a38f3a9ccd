import ms from 'ms';
import { groupProgressText, paceOf, rateText } from '../../../handlers/group-progress.js';
import { progressText } from '../jobs/progress-text.js';
import type { Field } from '../output/fields.js';
import { between, fromNow } from '../output/moment.js';
import type { Style } from '../output/paint.js';
import type { Column } from '../output/table.js';
import type { ShownGroup } from './group-shape.js';

/** The columns of a list of batches or workflows. */
export const groupColumns: readonly Column<ShownGroup>[] = [
  { title: 'ID', value: ({ id }) => id, mayShrink: 20 },
  { title: 'STATUS', value: ({ status }) => status, style: ({ status }) => groupStyle(status) },
  { title: 'COMPLETED', value: groupProgressText, align: 'right' },
  { title: 'CREATED', value: ({ created }) => fromNow(created), align: 'right', leaveOut: 1 },
  { title: 'TOOK', value: ({ created, closed }) => between(created, closed), align: 'right', leaveOut: 2 },
  { title: '', value: paceText, style: () => 'dim', mayShrink: true, leaveOut: 3 },
];

/** The fields of one batch or workflow. */
export function groupFields(what: string, group: ShownGroup): Field[] {
  const { id, status, created, closed, expires } = group;
  return [
    [what, id],
    ['status', status, groupStyle(status)],
    ['progress', progressLine(group)],
    ['created', `${created} (${fromNow(created)})`],
    ['took', between(created, closed)],
    ['kept until', expires ?? ''],
  ];
}

/** Returns a bar and its numbers: `██████░░░░ 71% 7,120 of 10,000, 3 failed; 120/s, 24s left`. */
function progressLine(group: ShownGroup): string {
  const { size, completed } = group;
  const bar = size === 0 ? '' : progressText({ done: completed, of: size });
  const pace = paceText(group);
  return [bar, `${groupProgressText(group)}${pace === '' ? '' : `; ${pace}`}`]
    .filter((part) => part !== '')
    .join(' ');
}

function paceText(group: ShownGroup): string {
  const pace = paceOf(group, Date.now() - Date.parse(group.created));
  const isGoing = group.status === 'running' || group.status === 'adding';
  return pace && isGoing ? `${rateText(pace)}, ${ms(Math.ceil(pace.leftMs / 1000) * 1000)} left` : '';
}

function groupStyle(status: string): Style | undefined {
  const styles: Readonly<Record<string, Style>> = {
    adding: 'cyan',
    running: 'blue',
    completed: 'green',
    cancelled: 'yellow',
    failed: 'red',
  };
  return styles[status];
}
