import type { Collection } from 'mongodb';
import type { JobDocument } from '../job/job.js';
import { recordProgress } from '../job/record-progress.js';
import type { HeldLease } from '../job/renew-leases.js';
import { toProgress } from '../job/storable.js';
import type { Logger } from '../log.js';

/**
 * The `progress` function of one attempt. One write at a time: what is reported meanwhile waits, and only the
 * last of it is written, so a job may report as often as it likes. It resolves when this or a later value is
 * written; a value that could not be written is logged and does not fail the job.
 *
 * The returned function throws ValidationError for a value that cannot be stored.
 */
export function progressReporter(
  jobs: Collection<JobDocument>,
  lease: HeldLease,
  log: Logger,
): (value: unknown) => Promise<void> {
  let latest: { readonly value: unknown } | undefined;
  let writing: Promise<void> | undefined;

  async function writeLatest(): Promise<void> {
    while (latest) {
      const { value } = latest;
      latest = undefined;
      await recordProgress(jobs, lease, value ?? null).catch((error: unknown) => {
        log.warn('Progress could not be written', { jobId: lease.id, error: String(error) });
      });
    }
    writing = undefined;
  }

  return async (value) => {
    latest = { value: toProgress(value) };
    writing ??= writeLatest();
    await writing;
  };
}
