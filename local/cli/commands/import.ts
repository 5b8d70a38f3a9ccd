import { InvalidArgumentError } from 'commander';
import ms from 'ms';
import { isTimeZone } from '../../../src/scheduler/time-zone.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { parseDuration } from '../parse-duration.js';

/** The default lock lifetime of Agenda. */
const LOCK_LIFETIME_MS = ms('10m');

/** `import` takes over what other job processors hold. */
export const importCommand: AddCommand = (parent, { env, output, url }) => {
  const group = parent.command('import').description('Import jobs and schedules of another job processor.');
  group
    .command('agenda')
    .description(
      "Show what would be imported from Agenda's collection. With --execute, import it into the database of MONGODB_URI.",
    )
    .option(
      '--from <uri>',
      "mongodb:// address of Agenda's database; default: AGENDA_MONGODB_URI, or the database of MONGODB_URI",
    )
    .option('--collection <name>', 'the collection of Agenda', 'agendaJobs')
    .option(
      '--jobs <module>',
      'a module that exports `jobs`, which check the inputs; default: the registered kinds of jobs',
    )
    .option('--only <names...>', 'only jobs with these names in Agenda')
    .option(
      '--rename <pairs...>',
      "pairs of the name in Agenda and the name here, such as 'send mail=sendMail'",
      addPair,
    )
    .option(
      '--time-zone <name>',
      'for cron expressions without one: the time zone of the machine that ran Agenda; default: UTC',
      parseTimeZone,
    )
    .option(
      '--lock-lifetime <duration>',
      'after which Agenda considers a locked job lost; default: 10m',
      parseDuration,
    )
    .option('--execute', 'write the jobs and scheduler items; default: only show them')
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
            'Jobs are imported into the database: set MONGODB_URI, and leave out --url',
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

/** Checks the name of a time zone, and returns it. @throws InvalidArgumentError */
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
