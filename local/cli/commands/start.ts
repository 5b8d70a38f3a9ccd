import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { jobsOption } from '../work/jobs-option.js';

/** `start` runs everything on one machine. */
export const startCommand: AddCommand = (parent, { env, output }) => {
  parent
    .command('start')
    .description(
      'Run the scheduler, the worker, the HTTP API and the dashboard in one process, until Ctrl-C.',
    )
    .addOption(jobsOption())
    .option('--no-demo', 'leave out the jobs and the scheduler item of the demonstration')
    .addHelpText('after', `${environmentHelp}\n${examples('start', 'start --jobs ./jobs.js --no-demo')}`)
    .action(async ({ jobs, demo }) => {
      // These modules load the driver and the embedded database, which other commands do not need.
      const { readLocalSettings } = await import('../../settings.js');
      const { loadJobCode, NO_MODULE } = await import('../../job-code.js');
      const { start } = await import('../../start.js');
      const settings = readLocalSettings(env);
      if (jobs === undefined && settings.config.MONGODB_URI !== undefined) output.note(NO_MODULE);
      await start({ settings, code: await loadJobCode(jobs), demo });
    });
};

const environmentHelp = `
Environment:
  PORT             of the HTTP API (default 3000)
  HOST             address it listens on (default 127.0.0.1, which only this machine reaches)
  API_KEY          at least 16 characters; default: a key is made and printed
  MONGODB_URI      a replica set; default: an embedded database, which keeps nothing on disk
  SESSION_SECRETS  sign the sessions of the dashboard; default: sessions end with this process
  CALLBACK_URL     in links of step.callback; default: this server
  MONGODB_DATABASE, COLLECTION_PREFIX, MAX_THREADS, QUEUES, METRICS_PORT, METRICS_HOST, API_KEYS, ALLOWED_HOSTS, CORS_ORIGINS, CALLBACK_SECRETS, WEBHOOK_SECRET, WEBHOOK_SECRETS, WEBHOOK_ALLOW_PRIVATE_ADDRESSES, ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET, ALERT_WEBHOOK_FORMAT: see docs/configuration.md`;
