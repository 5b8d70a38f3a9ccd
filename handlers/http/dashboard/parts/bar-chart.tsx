import type { StatisticsPoint } from '../../../../src/index.js';
import { duration } from './moment.js';
import { grouped } from './number.js';

/** Size of the drawing, which is stretched to fit the page. */
const HEIGHT = 100;
const WIDTH = 10;
const GAP = 2;

interface BarChartProps {
  readonly title: string;
  readonly points: readonly StatisticsPoint[];
  /** The time that a bar covers, in words, such as `a minute`. */
  readonly step: string;
}

export function BarChart({ title, points, step }: BarChartProps) {
  const highest = Math.max(...points.map((point) => point.completed + point.errors));
  const summary = summaryOf(points);
  const spansDays = dayOf(points[0]) !== dayOf(points.at(-1));
  const moment = (point: StatisticsPoint | undefined) => clock(point, spansDays);
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong> <span class="quiet">{summary}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${points.length * WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${summary}`}
      >
        {points.map((point, index) => (
          <Bar
            point={point}
            left={index * WIDTH}
            scale={HEIGHT / Math.max(1, highest)}
            spansDays={spansDays}
          />
        ))}
      </svg>
      <p class="axis quiet" aria-hidden="true">
        <span>{moment(points[0])}</span>
        {highest > 0 && (
          <span>
            at most {grouped(highest)} in {step}
          </span>
        )}
        <span>{moment(points.at(-1))}</span>
      </p>
    </figure>
  );
}

interface BarProps {
  readonly point: StatisticsPoint;
  readonly left: number;
  readonly scale: number;
  readonly spansDays: boolean;
}

function Bar({ point, left, scale, spansDays }: BarProps) {
  const errors = point.errors * scale;
  const completed = point.completed * scale;
  const place = { x: left + GAP / 2, width: WIDTH - GAP };
  return (
    <g>
      <title>{`${clock(point, spansDays)}: ${grouped(point.completed)} completed, ${grouped(point.errors)} in error`}</title>
      <rect class="room" x={left} y="0" width={WIDTH} height={HEIGHT} />
      {point.completed > 0 && <rect class="completed" {...place} y={HEIGHT - completed} height={completed} />}
      {point.errors > 0 && <rect class="error" {...place} y={HEIGHT - completed - errors} height={errors} />}
    </g>
  );
}

function summaryOf(points: readonly StatisticsPoint[]): string {
  const completed = sum(points.map((point) => point.completed));
  const errors = sum(points.map((point) => point.errors));
  const suspended = sum(points.map((point) => point.suspended));
  if (completed + errors + suspended === 0) return 'no job ended';
  const average = averageOf(points);
  return [
    `${grouped(completed)} completed`,
    `${grouped(errors)} ended in error (${rate(errors, Math.max(1, completed + errors))})`,
    ...(suspended === 0 ? [] : [`${grouped(suspended)} suspended`]),
    ...(average === undefined ? [] : [`${duration(average)} each`]),
  ].join(', ');
}

function averageOf(points: readonly StatisticsPoint[]): number | undefined {
  const attempts = sum(points.map(({ at: _, durationMs: __, ...ends }) => sum(Object.values(ends))));
  return attempts === 0 ? undefined : sum(points.map(({ durationMs }) => durationMs)) / attempts;
}

function rate(part: number, whole: number): string {
  return `${((part / whole) * 100).toFixed(1)} %`;
}

/** Returns the time of a bar, with its day in a chart of more than one. */
function clock(point: StatisticsPoint | undefined, spansDays: boolean): string {
  if (!point) return '';
  const time = `${point.at.toISOString().slice(11, 16)} UTC`;
  return spansDays ? `${dayOf(point)} ${time}` : time;
}

function dayOf(point: StatisticsPoint | undefined): string {
  return point
    ? point.at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
    : '';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
