import { setTimeout as sleep } from 'node:timers/promises';
import { type PlannedJob, planBatch, planBurst, planJob } from '../plan-jobs.js';
import { cancel } from './chaos-job.js';
import { type Part, untilItSucceeds } from './part.js';

const PAUSE_MS = 40;

/** The most jobs that may wait. More would only make the end of the run long. */
const MAX_WAITING = 40;

/** The number of jobs before each burst. The jobs of a burst end at once, so that workers claim ahead. */
const JOBS_PER_BURST = 60;

/** The number of jobs before each batch. */
const JOBS_PER_BATCH = 11;

/** Adds the jobs of the plan by name, without their code, and notes each returned id. */
export async function produce(part: Part): Promise<void> {
  const { setting, processor, stop } = part;
  await untilItSucceeds(() => processor.getJobFactories(), stop);
  for (let n = 0; !stop.aborted; n += 1) {
    await add(part, planJob(setting.seed, n));
    await sleep(PAUSE_MS);
    if (n % 10 === 0) await waitForRoom(part);
    if (n % JOBS_PER_BURST === 0) await addBurst(part, n);
    if (n % JOBS_PER_BATCH === 0) await addBatch(part, n);
  }
}

async function add(part: Part, planned: PlannedJob): Promise<void> {
  const { processor, ledger, stop } = part;
  const { jobName, input, options, again, cancel: cancelled } = planned;
  const addIt = async () => {
    const job = await processor.addJob(jobName, input, options);
    await ledger.note({ kind: 'added', job });
    return job;
  };
  const tries = again ? [addIt, addIt] : [addIt];
  const [job] = await Promise.all(tries.map((tryIt) => untilItSucceeds(tryIt, stop)));
  if (again) await addAnother(part, planned);
  if (cancelled && job !== undefined) await cancel(job, processor, ledger);
}

async function addBurst({ setting, processor, ledger, stop }: Part, n: number): Promise<void> {
  const burst = planBurst(setting.seed, n);
  const ids = await untilItSucceeds(() => processor.addJobs(burst), stop);
  for (const job of ids ?? []) await ledger.note({ kind: 'added', job });
}

/** Adds a batch whose last job runs however the others end. */
async function addBatch({ setting, processor, ledger, stop }: Part, n: number): Promise<void> {
  const { id, jobs, then, cancel: cancelled } = planBatch(setting.seed, n);
  const added = await untilItSucceeds(() => processor.addBatch(jobs, { id, then, when: 'settled' }), stop);
  if (added === undefined) return;
  await ledger.note({ kind: 'added', job: `${id}.then` });
  if (cancelled) await untilItSucceeds(() => processor.batches.cancel(id), stop);
}

/**
 * Adds a job with the same id and another input. That must be refused, and also fails if the database is out of reach.
 */
async function addAnother(
  { processor, ledger }: Part,
  { jobName, input, options }: PlannedJob,
): Promise<void> {
  const another = { ...input, ms: -1 };
  const job = await processor.addJob(jobName, another, options).catch(() => undefined);
  if (job !== undefined) await ledger.note({ kind: 'taken for another', job });
}

async function waitForRoom(part: Part): Promise<void> {
  while (!part.stop.aborted && (await countWaiting(part)) > MAX_WAITING) await sleep(PAUSE_MS);
}

async function countWaiting({ processor, stop }: Part): Promise<number> {
  const jobs = await untilItSucceeds(() => processor.getJobs({ status: 'queued', limit: 1000 }), stop);
  return jobs?.length ?? 0;
}
