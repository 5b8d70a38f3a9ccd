import { exactDuration } from '../output/duration.js';
import { fromNow } from '../output/moment.js';
import { type Column, type Paper, table } from '../output/table.js';
import { visible } from '../output/visible.js';
import type { ImportedKind, ImportedSchedule, ImportReport, Refusal } from './import-report.js';

const number = (title: string, value: (kind: ImportedKind) => number): Column<ImportedKind> => ({
  title,
  value: (kind) => String(value(kind)),
  align: 'right',
});

const kindColumns: readonly Column<ImportedKind>[] = [
  { title: 'AGENDA', value: ({ name }) => name, mayShrink: true },
  { title: 'JOB', value: ({ jobName }) => jobName, mayShrink: true },
  number('NEW', ({ newJobs }) => newJobs),
  number('DUE', ({ dueJobs }) => dueJobs),
  number('SCHEDULES', ({ newSchedules }) => newSchedules),
  number('THERE', ({ there }) => there),
  number('ENDED', ({ completed, failed }) => completed + failed),
  number('NOT TAKEN', ({ refused }) => refused),
];

const scheduleColumns: readonly Column<ImportedSchedule>[] = [
  { title: 'SCHEDULE', value: ({ options }) => options.id },
  { title: 'JOB', value: ({ options }) => options.jobName ?? '', mayShrink: true },
  { title: 'WHEN', value: timesOf, mayShrink: true },
  { title: 'STATE', value: ({ first }) => (first ? 'active' : 'inactive') },
  { title: 'NEXT', value: ({ first }) => fromNow(first?.toISOString() ?? null), align: 'right' },
];

/** Returns a report as text for a person. */
export function reportText({ kinds, schedules, refusals }: ImportReport, paper: Paper): string {
  return [
    table(kindColumns, kinds, paper),
    ...(schedules.length > 0 ? [table(scheduleColumns, schedules, paper)] : []),
    ...(refusals.length > 0 ? [refusals.map(refusalText).join('\n')] : []),
  ].join('\n\n');
}

function refusalText({ name, reason, count, ids }: Refusal): string {
  const shown = count > ids.length ? `${ids.join(', ')}, …` : ids.join(', ');
  return visible(`${count} of '${name}' not taken: ${reason} (${shown})`);
}

function timesOf({ options }: ImportedSchedule): string {
  if (options.type === 'Delay') return `every ${exactDuration(Number(options.delay))}`;
  return 'cron' in options ? `${options.cron} ${options.timeZone}` : '';
}

/** Returns a report for scripts. */
export function reportJson({ read, kinds, schedules, refusals }: ImportReport): object {
  return { read, kinds, schedules: schedules.map(({ options, first }) => ({ ...options, first })), refusals };
}
