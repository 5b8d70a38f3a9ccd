/** Any order of working, dying, coming late, signals, timeouts, cancelling, retrying and deploying, for one job with steps. */
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LocalProcessor } from '../../local/processor.js';
import { defineJob, type JobContext } from '../../src/index.js';
import { useDatabase } from '../database.js';
import { endWaits } from './over.js';

const database = useDatabase();

const RUNS = Number(process.env.MODEL_RUNS ?? 4);

const ID = 'modelled';
const FOR_A_SIGNAL = { signal: 'x', timeout: '1h' } as const;

/** A worker, and the calls of steps in which it is held up. */
interface Worker {
  readonly held: (() => void)[];
  /** How many calls have gone on whose steps have not ended yet. */
  ending: number;
  isDone: boolean;
}

/** What the model knows. */
class Model {
  /** Steps whose end the job's function has seen, and the answers of waits. */
  readonly acknowledged = new Map<string, unknown>();
  readonly delivered: number[] = [];
  readonly workers: Worker[] = [];
  /** The tokens of leases that were lost. */
  readonly late = new Set<string>();
  isNewer = false;
  /** Whether steps wait until they are told to go on. */
  isHeld = true;
  readonly faults: string[] = [];

  /** Returns the job as a worker runs it. Newer code has another step, and has renamed one. */
  jobOf(worker: Worker) {
    const { isNewer } = this;
    const run = async ({ step, token }: JobContext) => {
      const call = async (name: string, was: string[] = [], logical = name) => {
        await step.run(name, { was }, () => this.#call(logical, worker)).finally(() => this.#ended(worker));
        this.#acknowledge(logical, 'ended', token);
      };
      const wait = async (name: string) => {
        const answer = await step.waitForSignal(name, FOR_A_SIGNAL);
        // That it timed out is stored along with the next step, and a signal may come before.
        if (answer !== undefined || this.acknowledged.has(name)) this.#acknowledge(name, answer, token);
      };
      if (isNewer) await call('new');
      await (isNewer ? call('renamed', ['a'], 'a') : call('a'));
      await wait('first');
      await Promise.all([call('b'), wait('second'), call('c')]);
      await call('d');
      return 'done';
    };
    return defineJob({ name: 'modelled', maxRetries: 1_000, retryDelay: 0, run });
  }

  async #call(name: string, { held }: Worker): Promise<void> {
    if (this.acknowledged.has(name)) this.faults.push(`${name} ran again`);
    if (this.isHeld) await new Promise<void>((goOn) => held.push(goOn));
  }

  #ended(worker: Worker): void {
    worker.ending = Math.max(0, worker.ending - 1);
  }

  #acknowledge(name: string, end: unknown, token: string): void {
    if (!this.acknowledged.has(name) && this.late.has(token))
      this.faults.push(`a late worker stored ${name}`);
    const known = this.acknowledged.get(name) ?? end;
    if (known !== end) this.faults.push(`${name} returned ${known}, then ${end}`);
    this.acknowledged.set(name, end);
  }

  /** Lets a step go on. */
  goOn(n: number): void {
    const busy = this.workers.filter(({ held }) => held.length > 0);
    const worker = busy[n % Math.max(1, busy.length)];
    if (!worker) return;
    worker.ending += 1;
    worker.held.splice(n % worker.held.length, 1)[0]?.();
  }

  /** Resolves once each worker is held up in a step, or has ended. */
  async stands(): Promise<void> {
    const stands = ({ isDone, ending, held }: Worker) => isDone || (ending === 0 && held.length > 0);
    while (!this.workers.every(stands)) await pause(2);
  }
}

type Action = (model: Model, processor: LocalProcessor, n: number) => Promise<unknown>;

/** The job takes no signal, and cannot be cancelled or retried, in some states. */
function unlessInConflict({ code }: { readonly code?: unknown }): undefined {
  expect(code).toBe('conflict');
}

async function send(model: Model, processor: LocalProcessor, n: number): Promise<void> {
  const payload = model.delivered.length;
  const options = n % 2 ? { signalId: `signal ${payload}` } : {};
  const sent = await processor.signal(ID, 'x', payload, options).catch(unlessInConflict);
  if (!sent) return;
  model.delivered.push(payload);
  if (n % 2) expect(await processor.signal(ID, 'x', payload, options)).toEqual({ outcome: 'duplicate' });
}

const actions = {
  async work(model) {
    const worker: Worker = { held: [], ending: 0, isDone: false };
    const processor = database.processor({ maxThreads: 1 });
    await processor.addJobFactory(model.jobOf(worker));
    model.workers.push(worker);
    void processor.drain().finally(() => {
      worker.isDone = true;
    });
    await model.stands();
  },
  async goOn(model, _, n) {
    model.goOn(n);
    await model.stands();
  },
  signal: send,
  /** A signal that comes while a step ends, or while the job is being suspended. */
  async signalMeanwhile(model, processor, n) {
    await Promise.all([actions.goOn(model, processor, n), send(model, processor, n)]);
  },
  async die(model, processor) {
    const { jobs } = database.collections();
    const lease = (await jobs.findOne({ status: 'processing' }))?.lease;
    if (!lease) return;
    model.late.add(lease.token);
    await jobs.updateOne({ _id: ID }, { $set: { 'lease.expires': new Date(1) } });
    await processor.recoverJobs();
  },
  timeOut: () => endWaits(database.db, ID),
  cancel: (_, processor) => processor.cancelJob(ID).catch(unlessInConflict),
  retry: (_, processor) => processor.retryJob(ID).catch(unlessInConflict),
  async deploy(model) {
    model.isNewer = true;
  },
} satisfies Record<string, Action>;

/** Each signal that was acknowledged is in the mailbox, or one wait has it; and no job sleeps beside a signal that it waits for. */
async function expectConsistent(model: Model, processor: LocalProcessor): Promise<void> {
  expect(model.faults).toEqual([]);
  const { steps, signals, waits } = await processor.jobs.steps(ID);
  const taken = steps.flatMap(({ kind, state, result }) =>
    kind === 'signal' && state === 'completed' ? [result] : [],
  );
  const all = [...taken, ...signals.map(({ payload }) => payload)];
  expect(all.toSorted((one, other) => Number(one) - Number(other))).toEqual(model.delivered);
  const job = await database.storedJob(ID);
  if (job?.status !== 'queued' || signals.length === 0 || waits.length === 0) return;
  if (waits.some(({ signal }) => signal === 'x'))
    expect(job.runAt.getTime()).toBeLessThan(Date.now() + 1_000);
}

/** Lets all workers go on, and the others come, until the job has ended. */
async function finish(model: Model, processor: LocalProcessor): Promise<void> {
  model.isHeld = false;
  await actions.die(model, processor);
  for (const { held } of model.workers) for (const goOn of held.splice(0)) goOn();
  await model.stands();
  await processor.retryJob(ID).catch(unlessInConflict);
  await processor.addJobFactory(model.jobOf({ held: [], ending: 0, isDone: false }));
  for (let tries = 0; (await processor.getJobStatus(ID)) !== 'completed'; tries += 1) {
    expect(tries, 'The job is parked for ever.').toBeLessThan(10);
    await endWaits(database.db, ID);
    await processor.recoverJobs();
    await processor.drain();
  }
}

const names = [
  ...(['work', 'work', 'work', 'goOn', 'goOn', 'goOn', 'goOn', 'signal', 'signal'] as const),
  ...(['signalMeanwhile', 'signalMeanwhile', 'die', 'timeOut', 'cancel', 'retry', 'deploy'] as const),
];

test('whatever happens, no step runs again that has ended, no signal is lost, and no job is parked for ever', async () => {
  const events = fc.array(fc.record({ name: fc.constantFrom(...names), n: fc.nat({ max: 9 }) }), {
    minLength: 5,
    maxLength: 25,
  });
  const property = fc.asyncProperty(events, async (happening) => {
    await database.collections().jobs.deleteMany({});
    const model = new Model();
    const processor = database.processor();
    await processor.addJobFactory(model.jobOf({ held: [], ending: 0, isDone: false }));
    await processor.addJob('modelled', undefined, { id: ID });
    try {
      for (const { name, n } of [{ name: 'work' as const, n: 0 }, ...happening]) {
        await actions[name](model, processor, n);
        await expectConsistent(model, processor);
      }
    } finally {
      await finish(model, processor);
    }
    await expectConsistent(model, processor);
  });
  await fc.assert(property, { numRuns: RUNS });
});
