import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { isKind } from '../src/brand.js';
import {
  ConflictError,
  defineJob,
  type Job,
  NotFoundError,
  RemoteException,
  type RemoteProcessor,
} from '../src/index.js';

/** Fails at the first attempt, as if a service were restarting, and then succeeds. */
const unsteady = defineJob({
  name: 'demo.unsteady',
  retryDelay: '1s',
  run: async ({ attempt }) => {
    if (attempt === 1) throw new Error('The service is restarting.');
    return `succeeded at attempt ${attempt}`;
  },
});

/** Fails for good, because a retry would not help. */
const hopeless = defineJob({
  name: 'demo.hopeless',
  run: async () => {
    throw new RemoteException('There is no such customer.');
  },
});

/** Takes a while and reports its progress. */
const slow = defineJob({
  name: 'demo.slow',
  input: z.object({ steps: z.int().min(1).max(100).default(3) }).optional(),
  run: async ({ input, signal, progress }) => {
    const steps = input?.steps ?? 3;
    for (let step = 1; step <= steps; step += 1) {
      await wait(300, undefined, { signal });
      await progress({ step, of: steps });
    }
    return `${steps} steps done`;
  },
});

/** The jobs of the demonstration. */
export const demoJobs = [unsteady, hopeless, slow];

const DEMO_ITEM = 'demo.every-10-seconds';

/** Adds the demonstration's scheduler item, unless it exists. */
export async function addDemoItem(processor: RemoteProcessor): Promise<void> {
  await processor
    .addScheduler({
      type: 'Delay',
      id: DEMO_ITEM,
      title: 'Demonstration: an echo every 10 seconds',
      jobName: 'echo',
      input: { from: 'the scheduler' },
      delay: '10s',
      active: true,
    })
    .catch(ignoreConflict);
}

/** Adds a scheduler item and a job of each kind. Waits until the jobs are settled, and prints how they ended. */
export async function showDemo(processor: RemoteProcessor, stopping: AbortSignal): Promise<void> {
  await addDemoItem(processor);
  const ids = [
    await processor.addJob('echo', { hello: 'world' }),
    await processor.addJob(unsteady),
    await processor.addJob(hopeless),
    await processor.addJob(slow),
  ];
  const jobs = await settled(processor, ids, stopping);
  console.table(jobs.map(toRow));
  console.log('From now on the scheduler makes an echo job every 10 seconds.\n');
}

/** Removes the demonstration's scheduler item, which would otherwise go on making jobs. */
export async function endDemo(processor: RemoteProcessor): Promise<void> {
  await processor.removeScheduler(DEMO_ITEM).catch(ignoreNotFound);
}

async function settled(
  processor: RemoteProcessor,
  ids: readonly string[],
  stopping: AbortSignal,
): Promise<Job[]> {
  for (;;) {
    const jobs = (await Promise.all(ids.map((id) => processor.getJob(id)))).filter(
      (job) => job !== undefined,
    );
    if (stopping.aborted || jobs.every(({ completed }) => completed !== undefined)) return jobs;
    await wait(200);
  }
}

function toRow({ jobName, status, retryCounter, output, errors }: Job) {
  return {
    job: jobName,
    status,
    attempts: retryCounter,
    output: output === undefined ? '' : JSON.stringify(output),
    errors: errors.map(({ message }) => message).join(' | '),
  };
}

/** Ignores the conflict with an item that exists. In a shared database, another run may have added it. */
function ignoreConflict(error: unknown): void {
  if (!isKind(error, ConflictError)) throw error;
}

function ignoreNotFound(error: unknown): void {
  if (!isKind(error, NotFoundError)) throw error;
}
