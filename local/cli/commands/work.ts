import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { parsePort } from '../parse-port.js';
import { jobsOption } from '../work/jobs-option.js';

/** `work` runs a worker without Lambda. */
export const workCommand: AddCommand = (parent, context) => {
  parent
    .command('work')
    .description('Run jobs on this machine until Ctrl-C or SIGTERM, in place of the worker function.')
    .addOption(jobsOption())
    .option('--name <name>', 'of the processor, shown in logs and leases')
    .option('--max-threads <number>', 'jobs at a time; default: MAX_THREADS, or the number of CPUs')
    .option('--queues <names>', 'only these queues, separated by commas; default: QUEUES, or all')
    .option(
      '--health-port <port>',
      'serve GET /health and /health/live on this port, on all interfaces',
      parsePort,
    )
    .addHelpText(
      'after',
      examples(
        'work --jobs ./jobs.js',
        'work --jobs ./jobs.js --queues mail,reports --max-threads 20 --health-port 8080',
      ),
    )
    .action(async ({ maxThreads, queues, ...options }) => {
      const env = {
        ...context.env,
        ...(maxThreads !== undefined && { MAX_THREADS: maxThreads }),
        ...(queues !== undefined && { QUEUES: queues }),
      };
      const { runLoops } = await import('../work/run-loops.js');
      await runLoops({ ...context, env }, options, {
        prepare: async () => {},
        begin: (processor) => processor.startProcessor(),
        end: (processor) => processor.stopProcessor(),
      });
    });
};
