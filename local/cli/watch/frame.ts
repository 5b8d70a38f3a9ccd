import ms from 'ms';
import { noWorkers, workerColumns } from '../commands/workers.js';
import type { ShownJob } from '../jobs/job-shape.js';
import { cut } from '../output/cut.js';
import { fromNow } from '../output/moment.js';
import { type Paint, statusStyle } from '../output/paint.js';
import { sparkline } from '../output/sparkline.js';
import { type Column, type Paper, table } from '../output/table.js';
import { visible } from '../output/visible.js';
import { countText } from '../state/counts.js';
import { queueColumns } from '../state/queue-table.js';
import { averageDuration, sumOf } from '../state/statistics.js';
import type { Snapshot } from './snapshot.js';

export interface Frame extends Paper {
  /** The number of lines of the terminal. */
  readonly height: number;
  /** The name of the deployment or database that is watched. */
  readonly title: string;
  /** The reason why the view is out of date. Undefined when it is current. */
  readonly problem?: string | undefined;
}

const KEYS = 'q quits';

/** Draws the view of `watch`. It has exactly as many lines as the terminal, and none is wider than the terminal. */
export function drawFrame(snapshot: Snapshot, frame: Frame): string[] {
  const problem =
    frame.problem === undefined ? '' : frame.paint('red', cut(visible(frame.problem), frame.width));
  const head = [frame.paint('bold', cut(`${visible(frame.title)}  ${KEYS}`, frame.width)), problem];
  const lines = [...head, ...bodyOf(snapshot, frame)].slice(0, frame.height);
  return [...lines, ...Array.from({ length: frame.height - lines.length }, () => '')];
}

function bodyOf({ counts, statistics, queues, workers, errors }: Snapshot, paper: Frame): string[] {
  const { width, paint } = paper;
  const last = sumOf(statistics.slice(-LAST_MINUTES));
  const suspended = last.suspended > 0 ? `, ${aMinute(last.suspended)} suspended` : '';
  const rate = `${aMinute(last.completed)} completed and ${aMinute(last.errors)} failed${suspended} a minute`;
  const average = averageDuration(last);
  const speed = average === undefined ? rate : `${rate}, ${ms(average)} on average`;
  return [
    ...wrapped(
      Object.entries(counts).map(([status, count]) => ({ text: `${status} ${countText(count)}`, status })),
      width,
      paint,
    ),
    '',
    cut(speed, width),
    paint(
      'green',
      chart('completed', statistics, ({ completed }) => completed, width),
    ),
    paint(
      'red',
      chart('errors   ', statistics, ({ errors }) => errors, width),
    ),
    '',
    ...section(queueColumns, queues, paper, 'No job is queued.'),
    '',
    ...section(workerColumns, workers, paper, noWorkers),
    '',
    ...section(errorColumns, errors, paper, 'No job ended in error.'),
  ];
}

/** Draws a chart of the last minutes, as many as fit. */
function chart(
  label: string,
  statistics: Snapshot['statistics'],
  value: (point: Snapshot['statistics'][number]) => number,
  width: number,
): string {
  const room = Math.max(1, width - label.length - 1);
  return cut(`${label} ${sparkline(statistics.slice(-room).map(value))}`, width);
}

/** The number of minutes over which a rate is averaged. The rate of a single minute would jump. */
const LAST_MINUTES = 5;

function aMinute(count: number): string {
  return (count / LAST_MINUTES).toFixed(1);
}

/** The most rows of a table that leave room for the next table. */
const MAX_ROWS = 8;

function section<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paper: Frame,
  none: string,
): string[] {
  if (rows.length === 0) return [paper.paint('dim', cut(none, paper.width))];
  const more = rows.length - MAX_ROWS;
  const lines = table(columns, rows.slice(0, MAX_ROWS), paper).split('\n');
  return more > 0 ? [...lines, paper.paint('dim', `… and ${more} more`)] : lines;
}

const errorColumns: readonly Column<ShownJob>[] = [
  { title: 'LATEST ERRORS', value: ({ id }) => id },
  { title: 'JOB', value: ({ jobName }) => jobName, mayShrink: true, leaveOut: 2 },
  { title: 'ENDED', value: ({ completed }) => fromNow(completed), align: 'right', leaveOut: 1 },
  {
    title: '',
    value: ({ errors }) => errors.at(-1)?.message.split('\n')[0] ?? '',
    mayShrink: 12,
    style: () => 'red',
  },
];

/** Puts as many parts on a line as fit. */
function wrapped(parts: readonly { text: string; status: string }[], width: number, paint: Paint): string[] {
  const lines: (typeof parts)[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    const used = line?.reduce((sum, { text }) => sum + text.length + GAP.length, 0) ?? 0;
    if (line === undefined || used + part.text.length > width) lines.push([part]);
    else lines[lines.length - 1] = [...line, part];
  }
  return lines.map((line) =>
    line.map(({ text, status }) => paint(statusStyle(status), cut(text, width))).join(GAP),
  );
}

const GAP = '  ';
