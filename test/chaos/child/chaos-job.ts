import { setTimeout as sleep } from 'node:timers/promises';
import { defineJob, type JobContext, RemoteException, RetryAfter, Snooze } from '../../../src/index.js';
import type { Sighting } from '../evidence.js';
import { chaosInput, type Fate, type ParsedInput } from '../plan-jobs.js';
import type { Ledger } from './ledger.js';

/** Short, so that a job which hangs shows what a timeout does within a second. */
const TIMEOUT_MS = 1500;

/** Longer than the timeout and its grace of 2 s: whatever returns then is too late. */
const LATE_MS = 5000;

/** How a process ends when a job ends it. */
export const EXIT_OF_A_JOB = 71;

interface Attempt extends JobContext<ParsedInput> {
  readonly job: Sighting | null;
  readonly ledger: Ledger;
}

/** The one kind of job of the suite; its input says what it does. What it returns says which run returned it. */
export function chaosJob(ledger: Ledger) {
  return defineJob({
    name: 'chaos',
    input: chaosInput,
    timeout: TIMEOUT_MS,
    retryDelay: 100,
    run: (context) =>
      ledger.run(context, async (job) => {
        await doAsFated[context.input.fate]({ ...context, job, ledger });
        return { token: context.token, attempt: context.attempt };
      }),
  });
}

const doAsFated: Record<Fate, (attempt: Attempt) => unknown> = {
  return() {},
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

/** It may be settled, or not be there yet, or the database may be out of reach: all of that is well. */
export async function cancel(job: string, processor: JobContext['processor'], ledger: Ledger): Promise<void> {
  const answer = await processor.cancelJob(job).catch(() => undefined);
  if (answer !== undefined) await ledger.note({ kind: 'cancelled', job, answer });
}

async function forever(signal: AbortSignal): Promise<void> {
  await sleep(3_600_000, undefined, { signal });
}

/** Keeps the event loop busy. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
