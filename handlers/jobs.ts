import type { Config } from '../src/config.js';
import type { JobFactory } from '../src/index.js';
import { checksum } from './jobs/checksum.js';
import { echo } from './jobs/echo.js';
import { removeOldJobs } from './jobs/remove-old-jobs.js';
import { anyAddress, isPublicAddress } from './jobs/webhook/addresses.js';
import { webhook } from './jobs/webhook.js';

/** Returns the kinds of jobs that this deployment runs. Add your own here. */
export function jobs(config: Config): JobFactory[] {
  return [
    echo,
    checksum,
    removeOldJobs,
    webhook({
      secret: config.WEBHOOK_SECRET,
      secrets: config.WEBHOOK_SECRETS,
      mayConnectTo: config.WEBHOOK_ALLOW_PRIVATE_ADDRESSES ? anyAddress : isPublicAddress,
      // With `write`, a key that may only add jobs could reach whatever the worker reaches.
      addRole: config.WEBHOOK_ALLOW_PRIVATE_ADDRESSES ? 'admin' : 'write',
    }),
  ];
}
