import { type ContenderName, contenderNames, OURS } from './contenders/contender.js';
import { contenders } from './contenders/index.js';
import type { Results, Row } from './results.js';
import { advantage, median, spread } from './statistics.js';

/** The results as a Markdown table, that is easy to read as plain text too, and how to read it. */
export function formatTable(results: Results): string {
  const header = ['', ...contenderNames.map((name) => contenders[name].title)];
  const cells = [header, ...lines(results)];
  const widths = header.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const rows = cells.map(
    (line) => `| ${line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [rows[0], rule, ...rows.slice(1), '', ...notes(results)].join('\n');
}

function lines(results: Results): string[][] {
  const headings = [...new Set(results.rows.map(({ under }) => under))];
  return headings.flatMap((heading) => [
    [`**${heading}**`, ...contenderNames.map(() => '')],
    ...results.rows
      .filter(({ under }) => under === heading)
      .map((row) => [row.name, ...contenderNames.map((name) => cell(row, name, results.noise))]),
  ]);
}

function cell(row: Row, contender: ContenderName, noise: number): string {
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

function compared({ values, better }: Row, contender: ContenderName, noise: number): string {
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

function notes({ noise, failures, repeats }: Results): string[] {
  const percent = `${Math.ceil(noise * 100)} %`;
  return [
    ...(repeats.length > 0
      ? [`Noise: the floor, measured twice in a row, differed by up to ${percent}.`]
      : []),
    'Medians of the rounds, ± the farthest round. (5.0×): this project is 5.0 times as good, the median of the rounds;',
    '(≈): the rounds do not agree, or the difference is below the noise.',
    ...failures.map(({ message }) => `Not measured: ${message}`),
  ];
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
