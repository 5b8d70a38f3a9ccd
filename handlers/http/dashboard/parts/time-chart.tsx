import type { Mark, StatisticsPoint, StatisticsRange } from '../../../../src/index.js';
import { toCursor } from '../../../../src/job/list-cursor.js';
import { failedOf, failureRateOf } from '../../../../src/statistics/failed-attempts.js';
import { failedBetween } from '../failed-time.js';
import { jobsPath } from '../paths.js';
import { duration } from './moment.js';
import { grouped } from './number.js';
import { percent, roundUp } from './scale.js';

/**
 * The parts of the drawing, in pixels from the top: the texts of marks, the attempts, the failure rate and the times.
 * The drawing is as wide as the page.
 */
const ATTEMPTS = { top: 18, height: 96 };
const RATE = { top: 138, height: 30 };
const TIMES = 186;

/** Number of steps whose beginning is written below the drawing. More would not fit on a phone. */
const TIME_TEXTS = 3;

/** The share of a step that its bar takes. */
const BAR_SHARE = 0.8;

/** The width of a letter in percent of the drawing on a phone. */
const LETTER = 2.5;

interface TimeChartProps {
  /** Identifies the chart in its page. */
  readonly id: string;
  readonly title: string;
  readonly statistics: StatisticsRange;
  readonly marks: readonly Mark[];
  /** The kind of jobs that it shows. Undefined for all. */
  readonly jobName?: string | undefined;
}

/** Shows how attempts ended over time, the share that failed, and the marks. A table below says the same. */
export function TimeChart({ id, title, statistics, marks, jobName }: TimeChartProps) {
  const { points, stepMs } = statistics;
  const shown = marksWithin(statistics, marks);
  const highest = roundUp(Math.max(...points.map(endedIn)));
  const highestRate = roundUp(Math.max(...points.map(failureRateOf)) * 100) / 100;
  const bars = points.map((point, index) => ({
    point,
    left: (index / points.length) * 100,
    width: 100 / points.length,
    href: jobsIn(point, stepMs, jobName),
    text: barText(point, stepMs),
  }));
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong> <span class="quiet">{summaryOf(statistics)}</span>
      </figcaption>
      {/* The table says the same, and has the links for the keyboard. */}
      <div class="drawing">
        <svg class="scale" aria-hidden="true">
          <Values {...ATTEMPTS} values={linesOf(highest)} text={grouped} />
          <Values {...RATE} values={[highestRate]} text={percent} />
        </svg>
        <svg aria-hidden="true">
          <Lines {...ATTEMPTS} values={linesOf(highest)} />
          <Lines {...RATE} values={[highestRate, 0]} />
          {bars.map((bar) => (
            <Bar {...bar} highest={highest} highestRate={highestRate} />
          ))}
          <Times points={points} stepMs={stepMs} />
          <Marks marks={shown} statistics={statistics} />
        </svg>
      </div>
      <p class="legend quiet">
        <span class="key completed">completed</span> <span class="key error">failed</span>
        {shown.length > 0 && <span class="key mark">marked</span>}{' '}
        <span>attempts in {stepText(stepMs)}, below the share that failed; times in UTC</span>
      </p>
      <details id={`table-of-${id}`}>
        <summary>As a table</summary>
        <ChartTable bars={bars} marks={shown} stepMs={stepMs} />
      </details>
    </figure>
  );
}

interface BarOfChart {
  readonly point: StatisticsPoint;
  /** Distance from the left, in percent of the drawing. */
  readonly left: number;
  readonly width: number;
  readonly href: string;
  readonly text: string;
}

function Bar(props: BarOfChart & { readonly highest: number; readonly highestRate: number }) {
  const { point, left, width, href, text, highest, highestRate } = props;
  const completed = heightOf(point.completed, highest, ATTEMPTS.height);
  const failed = heightOf(failedOf(point), highest, ATTEMPTS.height);
  const rate = heightOf(failureRateOf(point), highestRate, RATE.height);
  const bottom = ATTEMPTS.top + ATTEMPTS.height;
  const place = {
    x: percentOf(left + (width * (1 - BAR_SHARE)) / 2),
    width: percentOf(width * BAR_SHARE),
  };
  return (
    <a href={href} tabindex={-1}>
      <title>{text}</title>
      <rect class="room" x={percentOf(left)} y="0" width={percentOf(width)} height={TIMES - 14} />
      {completed > 0 && <rect class="completed" {...place} y={bottom - completed} height={completed} />}
      {failed > 0 && <rect class="error" {...place} y={bottom - completed - failed} height={failed} />}
      {rate > 0 && <rect class="error" {...place} y={RATE.top + RATE.height - rate} height={rate} />}
    </a>
  );
}

/** Returns the height of a bar. Even the smallest count can be seen. */
function heightOf(value: number, highest: number, height: number): number {
  return value === 0 ? 0 : Math.max(1, Math.round((value / highest) * height * 10) / 10);
}

interface LinesProps {
  readonly top: number;
  readonly height: number;
  /** The values of the lines, from the top, so the highest is first. */
  readonly values: readonly number[];
}

/** Returns the values of the lines of a scale: the highest, half of it if that is a whole number, and 0. */
function linesOf(highest: number): readonly number[] {
  return highest % 2 === 0 ? [highest, highest / 2, 0] : [highest, 0];
}

function Lines({ top, height, values }: LinesProps) {
  return values.map((value) => {
    const y = lineOf(value, { top, height, values });
    return <line x1="0" x2="100%" y1={y} y2={y} />;
  });
}

function Values({ text, ...lines }: LinesProps & { readonly text: (value: number) => string }) {
  return lines.values.map((value) => (
    <text x="100%" y={lineOf(value, lines) + 4} text-anchor="end">
      {text(value)}
    </text>
  ));
}

function lineOf(value: number, { top, height, values }: LinesProps): number {
  return top + height - (value / (values[0] ?? 1)) * height + 0.5;
}

function Times({ points, stepMs }: Pick<StatisticsRange, 'points' | 'stepMs'>) {
  const anchors = ['start', 'middle', 'end'] as const;
  return anchors.map((anchor, index) => {
    const place = Math.round((index / (TIME_TEXTS - 1)) * (points.length - 1));
    const point = points[place];
    return (
      point && (
        <text x={percentOf(index * 50)} y={TIMES} text-anchor={anchor}>
          {timeText(point.at, index === 0 ? 0 : stepMs)}
        </text>
      )
    );
  });
}

/**
 * Shows marks as thin lines. Where their texts would cover each other, shows only the latest. The table has all of
 * them.
 */
function Marks({ marks, statistics }: { marks: readonly Mark[]; statistics: StatisticsRange }) {
  let free = 100;
  return marks.toReversed().map((mark) => {
    const left = placeOf(mark, statistics);
    const text = cut(mark.text);
    const width = text.length * LETTER;
    const isAtEnd = left + width > 100;
    const [begin, end] = isAtEnd ? [left - width, left] : [left, left + width];
    const isShown = end <= free;
    if (isShown) free = begin;
    return (
      <g class="mark">
        <title>{[mark.text, timeText(mark.at, 0), ...byText(mark)].join(', ')}</title>
        <line x1={percentOf(left)} x2={percentOf(left)} y1="0" y2={RATE.top + RATE.height} />
        {isShown && (
          <text x={percentOf(left)} y="10" dx={isAtEnd ? -3 : 3} text-anchor={isAtEnd ? 'end' : 'start'}>
            {text}
          </text>
        )}
      </g>
    );
  });
}

interface ChartTableProps {
  readonly bars: readonly BarOfChart[];
  readonly marks: readonly Mark[];
  readonly stepMs: number;
}

function ChartTable({ bars, marks, stepMs }: ChartTableProps) {
  const ended = bars.filter(({ point }) => endedIn(point) > 0);
  return (
    <>
      {ended.length === 0 ? (
        <p class="empty">No attempt ended.</p>
      ) : (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">Completed</th>
                <th scope="col">Failed</th>
                <th scope="col">Failure rate</th>
              </tr>
            </thead>
            <tbody>
              {ended.map(({ point, href }) => (
                <tr>
                  <th scope="row">
                    <a href={href}>{timeText(point.at, stepMs)}</a>
                  </th>
                  <td data-label="Completed">{grouped(point.completed)}</td>
                  <td data-label="Failed">{grouped(failedOf(point))}</td>
                  <td data-label="Failure rate">{percent(failureRateOf(point))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {marks.length > 0 && (
        <ul class="list">
          {marks.map((mark) => (
            <li>
              <span>{mark.text}</span> <span>{[timeText(mark.at, 0), ...byText(mark)].join(', ')}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/**
 * Returns the path of a list of the jobs that failed in a step. If none did, the list has the jobs that were added
 * before the step's end.
 */
function jobsIn(point: StatisticsPoint, stepMs: number, jobName: string | undefined): string {
  const end = new Date(point.at.getTime() + stepMs);
  if (failedOf(point) > 0)
    return jobsPath({ status: 'error', name: jobName, failed: failedBetween(point.at, end) });
  return jobsPath({ name: jobName, cursor: toCursor({ at: end, id: '' }) });
}

/** Returns the marks of a range, the earliest first. */
function marksWithin({ points, stepMs }: StatisticsRange, marks: readonly Mark[]): readonly Mark[] {
  const first = points[0]?.at.getTime() ?? 0;
  const end = first + points.length * stepMs;
  return marks
    .filter(({ at }) => at.getTime() >= first && at.getTime() < end)
    .toSorted((one, other) => one.at.getTime() - other.at.getTime());
}

function byText({ by }: Mark): readonly string[] {
  return by === undefined ? [] : [`by ${by}`];
}

function placeOf({ at }: Mark, { points, stepMs }: StatisticsRange): number {
  const first = points[0]?.at.getTime() ?? 0;
  return ((at.getTime() - first) / (points.length * stepMs)) * 100;
}

function summaryOf({ sum }: StatisticsRange): string {
  const { completed, errors, retried, suspended, durationMs, ...others } = sum;
  const failed = failedOf(sum);
  if (completed + failed + suspended === 0) return 'no job ended';
  const attempts = Object.values(others).reduce((total, count) => total + count, 0);
  const average = durationMs / (completed + errors + retried + suspended + attempts);
  return [
    `${grouped(completed)} completed`,
    `${grouped(errors)} ended in error (${percent(errors / Math.max(1, completed + errors))})`,
    ...(failed === errors ? [] : [`${grouped(failed - errors)} failed attempts more`]),
    ...(suspended === 0 ? [] : [`${grouped(suspended)} suspended`]),
    `${duration(average)} each`,
  ].join(', ');
}

function barText(point: StatisticsPoint, stepMs: number): string {
  const failed = failedOf(point);
  const rate = failed > 0 ? ` (${percent(failureRateOf(point))})` : '';
  return `${timeText(point.at, stepMs)}: ${grouped(point.completed)} completed, ${grouped(failed)} failed${rate}`;
}

function endedIn(point: StatisticsPoint): number {
  return point.completed + failedOf(point);
}

const HOUR_MS = 60 * 60 * 1000;

/** Returns a moment in UTC. Leaves out the day if steps are short. */
function timeText(at: Date, stepMs: number): string {
  const time = at.toISOString().slice(11, 16);
  if (stepMs > 0 && stepMs < HOUR_MS) return time;
  const day = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
  return `${day} ${time}`;
}

function stepText(stepMs: number): string {
  const minutes = stepMs / 60_000;
  if (minutes === 1) return 'a minute';
  if (minutes < 60) return `${minutes} min`;
  return minutes === 60 ? 'an hour' : `${minutes / 60} h`;
}

function percentOf(value: number): string {
  return `${Math.round(value * 100) / 100}%`;
}

const MAX_TEXT = 14;

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
