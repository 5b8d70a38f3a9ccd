import { contenderNames, DBOS, type MeasuredName, neighbourNames, OURS } from './contenders/contender.js';
import { titleOf } from './contenders/index.js';
import type { Results, Row } from './results.js';
import { advantage, median, spread } from './statistics.js';

/** Formats the results as Markdown tables that also read well as plain text, with notes on how to read them. */
export function formatTable(results: Results): string {
  const isBeside = ({ values }: Row) => neighbourNames.some((name) => values[name] !== undefined);
  const beside = results.rows.filter(isBeside);
  const isOfSteps = ({ values }: Row) => values[DBOS] !== undefined;
  const others = results.rows.filter((row) => !isBeside(row) && !isOfSteps(row));
  const tables = [
    table(results, others, contenderNames),
    table(results, beside, [OURS, ...neighbourNames]),
    table(results, results.rows.filter(isOfSteps), [OURS, DBOS, 'floor']),
  ].filter((lines) => lines.length > 0);
  return [...tables.flatMap((lines) => [...lines, '']), ...notes(results)].join('\n');
}

function table({ noise }: Results, rows: readonly Row[], columns: readonly MeasuredName[]): string[] {
  if (rows.length === 0) return [];
  const header = ['', ...columns.map((name) => titleOf(name))];
  const cells = [header, ...body(rows, columns, noise)];
  const widths = header.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map(
    (line) => `| ${line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [lines[0] ?? '', rule, ...lines.slice(1)];
}

function body(rows: readonly Row[], columns: readonly MeasuredName[], noise: number): string[][] {
  const headings = [...new Set(rows.map(({ under }) => under))];
  return headings.flatMap((heading) => [
    [`**${heading}**`, ...columns.map(() => '')],
    ...rows
      .filter(({ under }) => under === heading)
      .map((row) => [row.name, ...columns.map((name) => cell(row, name, noise))]),
  ]);
}

function cell(row: Row, contender: MeasuredName, noise: number): string {
  const values = row.values[contender];
  if (values === undefined) return '–';
  const { better, decimals = 0 } = row;
  const value = median(values).toLocaleString('en', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  if (!better) return value;
  const around = values.length > 1 ? ` ±${Math.round(spread(values) * 100)} %` : '';
  return value + around + compared(row, contender, noise);
}

function compared({ values, better }: Row, contender: MeasuredName, noise: number): string {
  const ours = values[OURS];
  const theirs = values[contender];
  if (contender === OURS || !ours || !theirs || !better) return '';
  const result = advantage(ours, theirs, better, noise);
  if (!result) return '';
  return result.isCertain ? ` (${formatTimes(result.times)}×)` : ' (≈)';
}

function formatTimes(times: number): string {
  return times < 10 ? times.toPrecision(2) : Math.round(times).toLocaleString('en');
}

function notes({ noise, failures, leftOut, repeats }: Results): string[] {
  const percent = `${Math.ceil(noise * 100)} %`;
  return [
    ...(repeats.length > 0
      ? [`Noise: the floor, measured twice in a row, differed by up to ${percent}.`]
      : []),
    'Medians of the rounds, ± the farthest round. (5.0×): this project is 5.0 times as good, the median of the rounds;',
    '(≈): the rounds do not agree, or the difference is below the noise.',
    ...leftOut,
    ...failures.map(({ message }) => `Not measured: ${message}`),
  ];
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
