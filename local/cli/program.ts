import { Command } from '@commander-js/extra-typings';
import { addCommand } from './commands/add.js';
import { auditCommand } from './commands/audit.js';
import { batchesCommand } from './commands/batches.js';
import { cancelCommand } from './commands/cancel.js';
import { completionCommand } from './commands/completion.js';
import { doctorCommand } from './commands/doctor.js';
import { ensureIndexesCommand } from './commands/ensure-indexes.js';
import { factoriesCommand } from './commands/factories.js';
import { failuresCommand } from './commands/failures.js';
import { getCommand } from './commands/get.js';
import { importCommand } from './commands/import.js';
import { initCommand } from './commands/init.js';
import { jobsCommand } from './commands/jobs.js';
import { kindsCommand } from './commands/kinds.js';
import { limitsCommand } from './commands/limits.js';
import { listCommand } from './commands/list.js';
import { makeKeyCommand } from './commands/make-key.js';
import { markCommand, marksCommand } from './commands/marks.js';
import { operationsCommand } from './commands/operations.js';
import { queuesCommand } from './commands/queues.js';
import { removeCommand } from './commands/remove.js';
import { replayCommand } from './commands/replay.js';
import { retryCommand } from './commands/retry.js';
import { scheduleCommand } from './commands/schedule.js';
import { schedulesCommand } from './commands/schedules.js';
import { signalCommand } from './commands/signal.js';
import { startCommand } from './commands/start.js';
import { statsCommand } from './commands/stats.js';
import { stepsCommand } from './commands/steps.js';
import { watchCommand } from './commands/watch.js';
import { workCommand } from './commands/work.js';
import { runningCommand, workersCommand } from './commands/workers.js';
import { workflowsCommand } from './commands/workflows.js';
import type { AddCommand, CommandContext } from './context.js';
import { packageVersion } from './version.js';

/** The commands in the order of the help. */
const commands: readonly AddCommand[] = [
  addCommand,
  getCommand,
  listCommand,
  cancelCommand,
  retryCommand,
  removeCommand,
  stepsCommand,
  signalCommand,
  jobsCommand,
  batchesCommand,
  workflowsCommand,
  schedulesCommand,
  queuesCommand,
  limitsCommand,
  failuresCommand,
  operationsCommand,
  auditCommand,
  workersCommand,
  runningCommand,
  factoriesCommand,
  statsCommand,
  kindsCommand,
  markCommand,
  marksCommand,
  watchCommand,
  workCommand,
  scheduleCommand,
  replayCommand,
  startCommand,
  initCommand,
  importCommand,
  ensureIndexesCommand,
  makeKeyCommand,
  doctorCommand,
  completionCommand,
];

const epilogue = `
By default commands work on the database of MONGODB_URI, MONGODB_DATABASE and COLLECTION_PREFIX. With --url they call a deployment
with the API key in REMOTE_PROCESSOR_API_KEY.

Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 not found, 4 access refused, 5 database or deployment unreachable,
6 the job that was waited for did not complete.

Example:
  $ remote-processor add echo '{ "hello": "me" }' --wait`;

/** Returns the command line with all its commands. */
export function createProgram(context: CommandContext) {
  const program = new Command('remote-processor')
    .description('Adds, watches and runs jobs: the command line of Remote Processor.')
    .version(packageVersion(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show how to use it')
    .option(
      '--url <url>',
      'address of a deployment; default: REMOTE_PROCESSOR_URL, or the database of MONGODB_URI',
    )
    .option(
      '--insecure',
      'allow a plain http address of another machine in --url, although others may read the API key',
    )
    .option('--json', 'results and errors as JSON, for scripts')
    .option('--debug', 'show stacks of errors, and log lines')
    .addHelpText('after', epilogue)
    .configureHelp({ showGlobalOptions: true })
    // The caller prints all errors in one form.
    .configureOutput({
      writeOut: (text) => context.output.stdout.write(text),
      writeErr: (text) => context.output.stderr.write(text),
      outputError: () => {},
    })
    .exitOverride();
  for (const add of commands) add(program, context);
  return program;
}
