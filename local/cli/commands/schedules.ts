import { randomUUID } from 'node:crypto';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import * as z from 'zod';
import { path } from '../api/api.js';
import { confirm } from '../confirm.js';
import type { AddCommand, CommandContext } from '../context.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { jobStateShape } from '../jobs/job-shape.js';
import { fromNow } from '../output/moment.js';
import { type Column, table } from '../output/table.js';
import { allOption, cursorOption, limitOption, showPages } from '../pages.js';
import { parseDurationText } from '../parse-duration.js';
import { parseWholeNumber } from '../parse-whole-number.js';
import { readJson } from '../read-json.js';
import { occurrencesShape, scheduleShape, schedulesShape } from '../schedules/schedule-shape.js';
import { scheduleColumns, scheduleDetails } from '../schedules/schedule-text.js';

/** `schedules` manages the scheduler items. */
export const schedulesCommand: AddCommand = (parent, context) => {
  const group = parent.command('schedules').description('List, add, change and run scheduler items.');
  addReading(group, context);
  addPreview(group, context);
  addHistory(group, context);
  addUpcoming(group, context);
  addWriting(group, context);
  addRunning(group, context);
  addRemoving(group, context);
  group.addHelpText('after', examples('schedules list', 'schedules preview weekly-report --count 5'));
};

function addReading(group: CommandUnknownOpts, { api, output }: CommandContext): void {
  group
    .command('list')
    .description('List the scheduler items.')
    .option('--text <text>', 'only items with this text in their id, title or job name')
    .option(...limitOption)
    .option(...cursorOption)
    .option(...allOption)
    .addHelpText('after', examples('schedules list', 'schedules list --all --json | wc -l'))
    .action(({ text, ...options }) =>
      showPages(
        { api, output },
        {
          path: '/v1/schedulers',
          query: { text, ...(!output.isJson && { brief: 'true' }) },
          shape: schedulesShape,
          rows: ({ schedulers }) => schedulers,
          columns: scheduleColumns,
        },
        options,
      ),
    );
  group
    .command('get')
    .description('Show a scheduler item.')
    .argument('<id>', 'of the item')
    .addHelpText('after', examples('schedules get weekly-report'))
    .action(async (id) => show(await api.get(path`/v1/schedulers/${id}`), { output }));
}

const historyShape = z.looseObject({
  history: z.array(z.looseObject({ at: z.string(), jobId: z.string(), status: z.string() })),
});

type OccurrenceJob = z.output<typeof historyShape>['history'][number];

const historyColumns: readonly Column<OccurrenceJob>[] = [
  { title: 'DUE', value: ({ at }) => at },
  { title: 'JOB', value: ({ jobId }) => jobId },
  { title: 'STATUS', value: ({ status }) => status },
];

function addHistory(group: CommandUnknownOpts, { api, output }: CommandContext): void {
  group
    .command('history')
    .description('Show the jobs of the last occurrences of a scheduler item, the latest first.')
    .argument('<id>', 'of the item')
    .option('--count <number>', 'of jobs, 1 to 1000', parseWholeNumber, 20)
    .addHelpText('after', examples('schedules history weekly-report --count 5'))
    .action(async (id, { count }) => {
      const answer = await api.get(path`/v1/schedulers/${id}/history`, { count });
      output.result(answer, historyShape, ({ history }) =>
        history.length === 0
          ? 'It has made no job that is still there.'
          : table(historyColumns, history, output),
      );
    });
}

const upcomingShape = z.looseObject({
  upcoming: z.array(z.looseObject({ id: z.string(), title: z.string(), at: z.array(z.string()) })),
});

interface Occurrence {
  readonly id: string;
  readonly title: string;
  readonly at: string;
}

const upcomingColumns: readonly Column<Occurrence>[] = [
  { title: 'DUE', value: ({ at }) => at },
  { title: 'IN', value: ({ at }) => fromNow(at), align: 'right' },
  { title: 'ITEM', value: ({ id }) => id },
  { title: 'TITLE', value: ({ title }) => title, mayShrink: true },
];

function addUpcoming(group: CommandUnknownOpts, { api, output }: CommandContext): void {
  group
    .command('upcoming')
    .description('Show when the active scheduler items are due, the soonest first.')
    .option('--within <time>', 'from now, at most 7d; default: 1d', parseDurationText)
    .addHelpText('after', examples('schedules upcoming --within 2h'))
    .action(async ({ within }) => {
      const answer = await api.get('/v1/upcoming', { within });
      output.result(answer, upcomingShape, ({ upcoming }) => {
        const occurrences = upcoming.flatMap(({ id, title, at: moments }) =>
          moments.map((at) => ({ id, title, at })),
        );
        // As text, these moments sort by time.
        occurrences.sort((one, other) => (one.at < other.at ? -1 : Number(one.at > other.at)));
        return occurrences.length === 0
          ? 'Nothing is due in this time.'
          : table(upcomingColumns, occurrences, output);
      });
    });
}

function addPreview(group: CommandUnknownOpts, { api, output, stdin }: CommandContext): void {
  group
    .command('preview')
    .description('Show when a scheduler item, or one with the given options, is due next.')
    .argument('[id]', 'of the item')
    .option(
      '--options <json>',
      'of an item that is not stored: JSON text, @file to read a file, or - to read standard input',
    )
    .option('--count <number>', 'of occurrences, 1 to 1000', parseWholeNumber, 10)
    .addHelpText(
      'after',
      examples(
        'schedules preview weekly-report --count 5',
        `schedules preview --options '{ "type": "Cron", "cron": "0 9 * * MON", "timeZone": "Europe/Zurich", "jobName": "echo", "input": {} }'`,
      ),
    )
    .action(async (id, { options, count }) => {
      if ((id === undefined) === (options === undefined))
        throw new CommandFailure(exitCode.usage, 'Give the id of an item, or --options', {
          code: 'wrong_usage',
        });
      const answer =
        options === undefined
          ? await api.get(path`/v1/schedulers/${id ?? ''}/preview`, { count })
          : await api.post('/v1/schedulers/preview', {
              body: { scheduler: await readJson(options, 'The value of --options', { stdin }), count },
            });
      output.result(answer, occurrencesShape, ({ occurrences }) =>
        table(occurrenceColumns, occurrences, output),
      );
    });
}

function addWriting(group: CommandUnknownOpts, { api, output, stdin }: CommandContext): void {
  group
    .command('add')
    .description('Add a scheduler item. It makes jobs once it is active.')
    .argument('<options>', 'JSON text, @file to read a file, or - to read standard input')
    .addHelpText(
      'after',
      examples(
        `schedules add '{ "id": "hourly", "type": "Delay", "delay": "1h", "jobName": "echo", "input": {}, "active": true }'`,
        'schedules add @weekly-report.json',
      ),
    )
    .action(async (options) => {
      const body = await readJson(options, 'The scheduler item', { stdin });
      show(await api.post('/v1/schedulers', { body }), { output });
    });
  group
    .command('update')
    .description('Change a scheduler item. Null removes an optional value.')
    .argument('<id>', 'of the item')
    .argument('<changes>', 'JSON text, @file to read a file, or - to read standard input')
    .addHelpText('after', examples(`schedules update hourly '{ "delay": "2h", "title": null }'`))
    .action(async (id, changes) => {
      const body = await readJson(changes, 'The changes', { stdin });
      show(await api.patch(path`/v1/schedulers/${id}`, body), { output });
    });
}

function addRunning(group: CommandUnknownOpts, { api, output }: CommandContext): void {
  for (const [name, description] of [
    ['activate', 'Start a scheduler item.'],
    ['deactivate', 'Stop a scheduler item, and withdraw the jobs that it made in advance.'],
  ] as const)
    group
      .command(name)
      .description(description)
      .argument('<id>', 'of the item')
      .addHelpText('after', examples(`schedules ${name} hourly`))
      .action(async (id) => show(await api.post(`${path`/v1/schedulers/${id}`}/${name}`), { output }));
  group
    .command('run')
    .description('Add a job of a scheduler item at once, and show its id.')
    .argument('<id>', 'of the item')
    .addHelpText('after', examples('schedules run hourly'))
    .action(async (id) => {
      const headers = { 'idempotency-key': randomUUID() };
      const answer = await api.post(path`/v1/schedulers/${id}/run`, { headers });
      output.result(answer, jobStateShape, (job) => job.id);
    });
}

function addRemoving(group: CommandUnknownOpts, { api, output, stdin }: CommandContext): void {
  group
    .command('remove')
    .description('Remove a scheduler item, and the jobs that it made ahead.')
    .argument('<id>', 'of the item')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('schedules remove hourly --yes'))
    .action(async (id, { yes }) => {
      await confirm(`Remove the scheduler item '${id}'?`, yes, { stdin, output });
      await api.delete(path`/v1/schedulers/${id}`);
      if (output.isJson) output.json({ removed: id });
      else output.note(`Removed ${id}`);
    });
}

const occurrenceColumns = [
  { title: 'AT', value: ({ at }: { at: string }) => at },
  { title: 'BY THE CLOCK OF ITS ZONE', value: ({ local }: { local: string }) => local },
];

function show(answer: unknown, { output }: Pick<CommandContext, 'output'>): void {
  output.result(answer, scheduleShape, (item) => scheduleDetails(item, output.paint));
}
