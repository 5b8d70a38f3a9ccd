import { setTimeout as sleep } from 'node:timers/promises';
import {
  defineJob,
  type JobContext,
  type JobFactory,
  RemoteException,
  RetryAfter,
  Snooze,
} from '../../../src/index.js';
import type { Sighting } from '../evidence.js';
import {
  chaosInput,
  type Fate,
  isThreadFate,
  jobNames,
  limits,
  type ParsedInput,
  planChildren,
  rate,
} from '../plan-jobs.js';
import { block } from './block.js';
import type { ThreadInput } from './chaos-job.subprocess.js';
import type { Ledger } from './ledger.js';

/** Short, so that the timeout of a hanging job shows within seconds. */
const TIMEOUT_MS = 1500;

/** Longer than the timeout and its grace of 2 s, so that the result comes too late. */
const LATE_MS = 5000;

/** Long enough for a late write of the former run to arrive. */
const AGAIN_MS = 500;

/** The exit code of a process that a job ended. */
export const EXIT_OF_A_JOB = 71;

/** What a job of a batch has too. */
type Context = Omit<JobContext<ParsedInput>, 'step' | 'completeIn'>;

interface Attempt extends Context {
  readonly job: Sighting | null;
  readonly ledger: Ledger;
}

const definition = { input: chaosInput, timeout: TIMEOUT_MS, retryDelay: 100 };

/** Returns the job factories of the suite. The input says what a job does, and its output says which run returned it. */
export function chaosJobs(ledger: Ledger): JobFactory[] {
  return [
    workerJob(ledger),
    threadJob(ledger),
    orderedJob(ledger),
    batchedJob(ledger),
    steppedJob(ledger),
    guardedJob(ledger),
    parentJob(ledger),
  ];
}

function workerJob(ledger: Ledger): JobFactory {
  return defineJob({
    ...definition,
    name: jobNames.worker,
    concurrency: [{ key: 'group', limit: limits.ofGroup }, { limit: limits.ofAll }],
    run: (context) => doInWorker(context, ledger),
  });
}

function orderedJob(ledger: Ledger): JobFactory {
  return defineJob({
    ...definition,
    name: jobNames.ordered,
    ordering: { key: 'group', onFailure: 'skip' },
    run: (context) => doInWorker(context, ledger),
  });
}

function batchedJob(ledger: Ledger): JobFactory {
  return defineJob({
    ...definition,
    name: jobNames.batched,
    batch: { size: 10, wait: 50 },
    runBatch: async ({ jobs, processor }) => {
      await Promise.all(
        jobs.map(async ({ complete, fail, ...job }) => {
          await doInWorker({ ...job, processor }, ledger).then(complete, fail);
        }),
      );
    },
  });
}

/** Returns a job that does as it is fated between two steps, and then writes in a transaction. */
function steppedJob(ledger: Ledger): JobFactory {
  return defineJob({
    ...definition,
    name: jobNames.stepped,
    rateLimit: { limit: rate.limit, period: rate.periodMs, burst: rate.burst },
    run: (context) =>
      ledger.run(context, async (job) => {
        const { step, jobId, token, input } = context;
        await step.run('first', () => ledger.noteStep('step ran', context, 'first'));
        await ledger.noteStep('step stored', context, 'first');
        await doAsFated[input.fate]({ ...context, job, ledger });
        await step.run('second', () => ledger.noteStep('step ran', context, 'second'));
        await ledger.noteStep('step stored', context, 'second');
        await step.transaction('effect', (session) => ledger.addEffect(jobId, session));
        return { token, attempt: context.attempt };
      }),
  });
}

/** Returns a job that waits for its children, however they end, and then does as it is fated. */
function parentJob(ledger: Ledger): JobFactory {
  return defineJob({
    ...definition,
    name: jobNames.parent,
    run: (context) =>
      ledger.run(context, async (job) => {
        const { step, input } = context;
        await step.fanOut('children', jobNames.batched, planChildren(input), { onError: 'collect' });
        await doAsFated[input.fate]({ ...context, job, ledger });
        return proofOf(context);
      }),
  });
}

/** Returns a job that needs a service, and fails while that is down. */
function guardedJob(ledger: Ledger): JobFactory {
  return defineJob({
    ...definition,
    name: jobNames.guarded,
    circuitBreaker: { failures: 3, within: '10s', pause: 400 },
    run: (context) =>
      ledger.run(
        context,
        async (job) => {
          if (await ledger.isServiceDown()) throw new Error('The service is down.');
          await doAsFated[context.input.fate]({ ...context, job, ledger });
          return proofOf(context);
        },
        jobNames.guarded,
      ),
  });
}

function doInWorker(context: Context, ledger: Ledger) {
  return ledger.run(context, async (job) => {
    await doAsFated[context.input.fate]({ ...context, job, ledger });
    return proofOf(context);
  });
}

/** Returns a job whose ledger is kept in the worker's thread, because the job's module does not know the token. */
function threadJob(ledger: Ledger): JobFactory {
  const module = new URL('./chaos-job.subprocess.js', import.meta.url);
  const fairness = { key: 'group' };
  const factory = defineJob({ ...definition, name: jobNames.thread, fairness, module });
  return {
    ...factory,
    run: (context, clock) =>
      ledger.run(context, async (job) => {
        const { fate, ms } = chaosInput.parse(context.input);
        if (!isThreadFate(fate)) throw new Error(`No thread does that: ${fate}`);
        const { attempt } = context;
        const input: ThreadInput = { fate, ms, attempt, wasGivenBack: job?.givenBackCounter !== 0 };
        await factory.run({ ...context, input }, clock);
        return proofOf(context);
      }),
  };
}

function proofOf({ token, attempt }: Pick<JobContext, 'token' | 'attempt'>) {
  return { token, attempt };
}

const doAsFated: Record<Fate, (attempt: Attempt) => unknown> = {
  /** Lingers when a worker has lost it, so that what that one still writes meets a run under way. */
  async return({ attempt, job }) {
    if (attempt > 1 || job?.givenBackCounter !== 0) await sleep(AGAIN_MS);
  },
  sleep: ({ input, signal }) => sleep(input.ms, undefined, { signal }),
  linger: ({ input }) => sleep(input.ms),
  async progress({ progress, token, input }) {
    void progress({ token });
    await sleep(input.ms);
    await progress({ token, at: 'the end' });
  },
  throw() {
    throw new Error('It throws each time.');
  },
  'throw once'({ attempt }) {
    if (attempt === 1) throw new Error('It throws the first time.');
  },
  'remote exception'() {
    throw new RemoteException('It is hopeless.');
  },
  'retry after'({ attempt }) {
    if (attempt === 1) throw new RetryAfter(150);
  },
  'snooze once'({ job }) {
    if (job?.givenBackCounter === 0) throw new Snooze(200);
  },
  async reject({ signal }) {
    void Promise.reject(new Error('Nobody waits for this.'));
    await forever(signal);
  },
  hang: ({ signal }) => forever(signal),
  'hang deaf': () => new Promise(() => setInterval(() => {}, 60_000)),
  'return late': () => sleep(LATE_MS),
  block: ({ input }) => block(input.ms),
  'block for long': ({ input }) => block(input.ms),
  exit: () => process.exit(EXIT_OF_A_JOB),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  async 'cancel other'({ input, processor, ledger }) {
    if (input.victim !== undefined) await cancel(input.victim, processor, ledger);
  },
  async 'cancel itself'({ jobId, processor, ledger, input }) {
    await cancel(jobId, processor, ledger);
    await sleep(input.ms);
  },
};

/** Cancels a job. Ignores errors: the job may be settled or missing, or the database out of reach. */
export async function cancel(job: string, processor: JobContext['processor'], ledger: Ledger): Promise<void> {
  const answer = await processor.cancelJob(job).catch(() => undefined);
  if (answer !== undefined) await ledger.note({ kind: 'cancelled', job, answer });
}

async function forever(signal: AbortSignal): Promise<void> {
  await sleep(3_600_000, undefined, { signal });
}
