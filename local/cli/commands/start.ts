import { environmentHelp } from '../../settings.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { jobsOption } from '../work/jobs-option.js';

/** `start`: the whole on one machine. */
export const startCommand: AddCommand = (parent, { env }) => {
  parent
    .command('start')
    .description(
      'Run the scheduler, the worker, the HTTP API and the dashboard in one process, until Ctrl-C.',
    )
    .addOption(jobsOption())
    .option('--no-demo', 'without the jobs and the scheduler item of the demonstration')
    .addHelpText('after', `${environmentHelp}\n${examples('start', 'start --jobs ./jobs.js --no-demo')}`)
    .action(async ({ jobs, demo }) => {
      // These load the driver and the embedded database, which other commands do without.
      const { readLocalSettings } = await import('../../settings.js');
      const { loadJobCode } = await import('../../job-code.js');
      const { start } = await import('../../start.js');
      await start({ settings: readLocalSettings(env), code: await loadJobCode(jobs), demo });
    });
};
