import { InvalidArgumentError } from 'commander';
import ms from 'ms';
import { isTimeZone } from '../../../src/scheduler/time-zone.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { parseDuration } from '../parse-duration.js';

/** Agenda's own default. */
const LOCK_LIFETIME_MS = ms('10m');

/** `import` takes over what other job processors hold. */
export const importCommand: AddCommand = (parent, { env, output, url }) => {
  const group = parent
    .command('import')
    .description('Take over jobs and schedules of another job processor.');
  group
    .command('agenda')
    .description(
      "Tell what would be taken over from Agenda's collection, or with --execute take it over into the database of MONGODB_URI.",
    )
    .option(
      '--from <uri>',
      "mongodb:// address of Agenda's database; without it AGENDA_MONGODB_URI, or the database of MONGODB_URI",
    )
    .option('--collection <name>', 'of Agenda', 'agendaJobs')
    .option(
      '--jobs <module>',
      'a module that exports `jobs`, which check the inputs; without it the known kinds',
    )
    .option('--only <names...>', 'jobs that have these names in Agenda')
    .option('--rename <pairs...>', "names in Agenda and here, such as 'send mail=sendMail'", addPair)
    .option(
      '--time-zone <name>',
      'of cron expressions without one: that of the machine that ran Agenda; UTC when not given',
      parseTimeZone,
    )
    .option(
      '--lock-lifetime <duration>',
      'after which Agenda takes a locked job for lost; 10m when not given',
      parseDuration,
    )
    .option('--execute', 'add the jobs and scheduler items; without it nothing is written')
    .addHelpText(
      'after',
      examples(
        'import agenda --from mongodb://localhost/shop --jobs ./jobs.js',
        "import agenda --only 'send mail' --rename 'send mail=sendMail' --execute",
      ),
    )
    .action(
      async ({
        from,
        only,
        rename,
        timeZone = 'UTC',
        lockLifetime = LOCK_LIFETIME_MS,
        execute,
        ...options
      }) => {
        if (url() !== undefined)
          throw new CommandFailure(
            exitCode.usage,
            'Jobs are imported into the database: set MONGODB_URI, without --url',
            { code: 'wrong_usage' },
          );
        const { runImport } = await import('../agenda/run-import.js');
        await runImport(
          { env, output },
          {
            ...options,
            from: from ?? (env.AGENDA_MONGODB_URI || undefined),
            jobs: options.jobs,
            names: only,
            jobNameOf: (name) => rename?.get(name) ?? name,
            timeZone,
            lockLifetimeMs: lockLifetime,
            execute: execute ?? false,
          },
        );
      },
    );
};

/** @throws InvalidArgumentError */
function parseTimeZone(name: string): string {
  if (isTimeZone(name)) return name;
  throw new InvalidArgumentError('expected an IANA time zone such as Europe/Zurich.');
}

/** Reads `name in Agenda=name here`. No name here has a `=`. @throws InvalidArgumentError */
function addPair(pair: string, pairs: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const split = pair.lastIndexOf('=');
  const [before, after] = [pair.slice(0, split), pair.slice(split + 1)];
  if (split < 1 || after === '')
    throw new InvalidArgumentError("expected a pair such as 'send mail=sendMail'.");
  return new Map([...pairs, [before, after]]);
}
