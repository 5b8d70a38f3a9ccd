import { Option } from '@commander-js/extra-typings';
import ms from 'ms';
import * as z from 'zod';
import { ranges } from '../../../src/statistics/ranges.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { read } from '../output/output.js';
import { sparkline } from '../output/sparkline.js';
import { type Column, table } from '../output/table.js';
import { parseDurationText } from '../parse-duration.js';
import { countsShape, countText } from '../state/counts.js';
import { averageDuration, type Point, statisticsShape, sumOf, type Waits } from '../state/statistics.js';

/** `stats` counts jobs, and shows how recent attempts ended. */
export const statsCommand: AddCommand = (parent, { api, output }) => {
  parent
    .command('stats')
    .description('Show the number of jobs by status, how attempts ended over time, and waits for limits.')
    .option('--since <duration>', 'the time that is shown, at most 8 days; default: 1h', parseDurationText)
    .option('--step <duration>', 'the time of a line, in whole minutes; default: 5m', parseDurationText)
    .addOption(
      new Option('--range <range>', 'instead of both: the time that is shown, in steps on the hour')
        .choices(ranges)
        .conflicts(['since', 'step']),
    )
    .option('--name <name>', 'only attempts of jobs of this name')
    .addHelpText('after', examples('stats', 'stats --since 1d --step 1h', 'stats --range 7d'))
    .action(async ({ range, name, ...asked }) => {
      const times = range === undefined ? { since: '1h', step: '5m', ...asked } : { range };
      const [counts, statistics] = await Promise.all([
        api.get('/v1/counts'),
        api.get('/v1/statistics', { ...times, name }),
      ]);
      if (output.isJson) return output.json({ ...read(counts, anyObject), ...read(statistics, anyObject) });
      const byStatus = Object.entries(read(counts, countsShape).counts);
      const { statistics: points, waits } = read(statistics, statisticsShape);
      output.print(byStatus.map(([status, count]) => `${status} ${countText(count)}`).join('  '));
      output.print(`\n${table(columns, [...points, { at: 'sum', ...sumOf(points) }], output)}`);
      output.print(
        `\ncompleted ${output.paint('green', sparkline(points.map(({ completed }) => completed)))}`,
      );
      output.print(`errors    ${output.paint('red', sparkline(points.map(({ errors }) => errors)))}`);
      if (waits.length > 0) output.print(`\n${table(waitColumns, waits, output)}`);
    });
};

const anyObject = z.looseObject({});

const columns: readonly Column<Point>[] = [
  { title: 'FROM', value: ({ at }) => at.replace(/\.\d+Z$/, 'Z') },
  { title: 'COMPLETED', value: ({ completed }) => number(completed), align: 'right', style: () => 'green' },
  { title: 'ERRORS', value: ({ errors }) => number(errors), align: 'right', style: () => 'red' },
  { title: 'CANCELLED', value: ({ cancelled }) => number(cancelled), align: 'right' },
  { title: 'RETRIED', value: ({ retried }) => number(retried), align: 'right' },
  { title: 'SUSPENDED', value: ({ suspended }) => number(suspended), align: 'right', leaveOut: 1 },
  { title: 'ON AVERAGE', value: ({ at: _, ...point }) => msOf(averageDuration(point)), align: 'right' },
];

const waitColumns: readonly Column<Waits>[] = [
  { title: 'LIMIT', value: ({ limit }) => limit, mayShrink: true },
  { title: 'WAITS', value: ({ waits }) => number(waits), align: 'right' },
  {
    title: 'ON AVERAGE',
    value: ({ waits, waitedMs }) => msOf(Math.round(waitedMs / waits)),
    align: 'right',
  },
];

function number(value: number): string {
  return value === 0 ? '' : value.toLocaleString('en-US');
}

function msOf(duration: number | undefined): string {
  return duration === undefined ? '' : ms(duration);
}
