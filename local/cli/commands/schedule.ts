import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { parsePort } from '../parse-port.js';
import { jobsOption } from '../work/jobs-option.js';

/** `schedule` runs a scheduler without Lambda. */
export const scheduleCommand: AddCommand = (parent, context) => {
  parent
    .command('schedule')
    .description(
      'Make the jobs of scheduler items until Ctrl-C or SIGTERM, in place of the scheduler function.',
    )
    .addOption(jobsOption())
    .option('--name <name>', 'of the processor, to which the declared schedules belong')
    .option(
      '--health-port <port>',
      'serve GET /health and /health/live on this port, on all interfaces',
      parsePort,
    )
    .addHelpText(
      'after',
      examples('schedule --jobs ./jobs.js', 'schedule --jobs ./jobs.js --health-port 8081'),
    )
    .action(async (options) => {
      const { runLoops } = await import('../work/run-loops.js');
      await runLoops(context, options, {
        prepare: async (processor, { schedules }) => schedules && processor.syncSchedulers(schedules),
        begin: (processor) => processor.startScheduler(),
        end: (processor) => processor.stopScheduler(),
      });
    });
};
