import { exactDuration } from '../output/duration.js';
import { fields, pretty } from '../output/fields.js';
import { fromNow } from '../output/moment.js';
import type { Paint, Style } from '../output/paint.js';
import type { Column } from '../output/table.js';
import type { ShownSchedule } from './schedule-shape.js';

/** The columns of a list of scheduler items. */
export const scheduleColumns: readonly Column<ShownSchedule>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'JOB', value: ({ jobName }) => jobName, mayShrink: true },
  { title: 'WHEN', value: timesOf, mayShrink: true },
  { title: 'STATE', value: stateOf, style: stateStyle },
  { title: 'NEXT', value: ({ nextCallTime }) => fromNow(nextCallTime), align: 'right' },
  { title: 'LAST', value: ({ lastCallTime }) => fromNow(lastCallTime), align: 'right' },
  { title: 'JOBS', value: ({ occurrences }) => String(occurrences), align: 'right' },
  { title: '', value: ({ title }) => title, mayShrink: true, style: () => 'dim' },
];

/** Returns everything about one scheduler item, as text for a person. */
export function scheduleDetails(item: ShownSchedule, paint: Paint): string {
  return fields(
    [
      ['id', item.id],
      ['title', item.title],
      ['description', item.description],
      ['job', item.jobName],
      ['when', timesOf(item)],
      ['state', stateOf(item), stateStyle(item)],
      ['next', when(item.nextCallTime)],
      ['last', when(item.lastCallTime)],
      ['last job', item.lastJobId ?? ''],
      [
        'jobs made',
        item.skipped > 0 ? `${item.occurrences}, ${item.skipped} skipped` : `${item.occurrences}`,
      ],
      ['catch up', item.catchUp],
      ['overlap', item.overlap],
      ['declared by', item.declaredBy ?? ''],
      ['input', item.input === null ? '' : pretty(item.input)],
    ],
    paint,
  );
}

function timesOf({ type, cron, delay, at, timeZone, ...item }: ShownSchedule): string {
  if (type === 'Delay') return delay === null ? '' : `every ${exactDuration(delay)}`;
  if (type === 'At') return at ?? '';
  const lists = ['minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const;
  const set = lists.flatMap((name) => (item[name] ? `${name} ${item[name].join(',')}` : []));
  return `${cron ?? set.join(' ')} ${timeZone}`;
}

function stateOf({ active, ended }: ShownSchedule): string {
  if (active) return 'active';
  return ended ? 'ended' : 'inactive';
}

function stateStyle({ active }: ShownSchedule): Style {
  return active ? 'green' : 'dim';
}

function when(moment: string | null): string {
  return moment === null ? '' : `${moment} (${fromNow(moment)})`;
}
