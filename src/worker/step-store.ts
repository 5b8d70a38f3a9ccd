import type { ClientSession } from 'mongodb';
import { AttemptAbortedError } from '../errors.js';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import type { StepEntry, StepWrites } from '../job/step-log.js';
import { addPage, readPages } from '../job/step-pages.js';
import { storeSteps } from '../job/step-statements.js';
import { byId } from '../mongo/by-index.js';
import { inTransaction } from '../mongo/in-transaction.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import type { LoadedSteps, StepStore } from '../step/step-host.js';
import type { SharedByDrains } from './drain-scope.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { Writer } from './writer.js';

/** Reads and writes the steps of one drain's attempts. */
export class WorkerStepStore implements StepStore {
  constructor(
    private readonly shared: SharedByDrains,
    private readonly writer: Writer,
    private readonly leases: LeaseKeeper,
  ) {}

  load(job: ClaimedJob): Promise<LoadedSteps> {
    return this.#patiently(async () => {
      const { jobs, jobSteps: pages } = this.shared;
      const [found] = await jobs
        .aggregate<Pick<JobDocument, 'stepLog'> & { readonly now: Date }>(
          [{ $match: leaseOf(job) }, { $project: { stepLog: 1, now: '$$NOW' } }],
          byId,
        )
        .toArray();
      if (!found) throw new AttemptAbortedError('lease lost');
      const { stepLog: log = {}, now } = found;
      return { log, now, paged: await readPages(pages, log.pages) };
    });
  }

  keep(job: ClaimedJob, writes: StepWrites): Promise<void> {
    return this.writer.keep(job, writes);
  }

  addPage(job: ClaimedJob, entries: readonly StepEntry[]): Promise<string> {
    return this.#patiently(() => addPage(this.shared.jobSteps, job.id, entries));
  }

  keepInTransaction<Result>(
    job: ClaimedJob,
    work: (session: ClientSession) => Promise<{ readonly result: Result; readonly writes: StepWrites }>,
  ): Promise<Result> {
    const { client, jobs } = this.shared;
    return this.leases.apart(job, () =>
      inTransaction(client, async (session) => {
        const { result, writes } = await work(session);
        // Last, so that the job is held for a short time only, and the snapshot of the transaction is as old as it was.
        const { matchedCount } = await jobs.updateOne(leaseOf(job), storeSteps(writes), { session, ...byId });
        if (matchedCount === 0) throw new AttemptAbortedError('lease lost');
        return result;
      }),
    );
  }

  /** Repeats work while the database cannot be reached, for as long as the lease lasts. The work must be safe to repeat. */
  #patiently<Result>(work: () => Promise<Result>): Promise<Result> {
    return retryWhileUnreachable(this.shared.leaseMs, work);
  }
}

function leaseOf({ id, token }: ClaimedJob) {
  return { _id: id, status: 'processing', 'lease.token': token } as const;
}
