import { RemoteException } from '../errors.js';
import type { BatchContext, BatchedJob, BatchOutputs, RunBatch } from './batch.js';
import type { JobContext } from './job-context.js';

/**
 * Calls the function of a batched kind of jobs. Returns one promise per job, in the order of the jobs. It settles with the
 * job's output or error.
 *
 * A job that ends by itself settles its promise at once. The last job ends with the call instead. So while the function
 * runs, at least one attempt is left whose timeout and signal apply to the call.
 */
export function callBatch(run: RunBatch, contexts: readonly JobContext[]): readonly Promise<unknown>[] {
  const call = new BatchCall(contexts);
  void call.run(run);
  return call.jobs.map(({ ended }) => ended);
}

class BatchCall {
  readonly jobs: readonly CalledJob[];
  readonly #open: Set<CalledJob>;
  /** Made on first use, as for single jobs. */
  #controller: AbortController | undefined;

  constructor(private readonly contexts: readonly JobContext[]) {
    this.jobs = contexts.map((context) => new CalledJob(context, (job) => this.#endedByItself(job)));
    this.#open = new Set(this.jobs);
  }

  async run(run: RunBatch): Promise<void> {
    try {
      this.#complete(await run(this.#context()));
    } catch (error) {
      for (const { entry } of this.#open) entry.fail(error);
    }
    for (const job of this.jobs) job.settle();
  }

  #context(): BatchContext {
    const [first] = this.contexts;
    if (first === undefined) throw new Error('A batch has at least one job.');
    const getSignal = () => this.#signal;
    return {
      jobs: this.jobs.map(({ entry }) => entry),
      log: (message, fields) => {
        for (const { entry } of this.#open) entry.log(message, fields);
      },
      get processor() {
        return first.processor;
      },
      get signal() {
        return getSignal();
      },
    };
  }

  get #signal(): AbortSignal {
    if (this.#controller) return this.#controller.signal;
    this.#controller = new AbortController();
    for (const { entry } of this.jobs) entry.signal.addEventListener('abort', () => this.#abortIfAllAre());
    this.#abortIfAllAre();
    return this.#controller.signal;
  }

  #abortIfAllAre(): void {
    const signals = [...this.#open].map(({ entry }) => entry.signal);
    if (signals[0] && signals.every(({ aborted }) => aborted)) this.#controller?.abort(signals[0].reason);
  }

  #endedByItself(job: CalledJob): void {
    this.#open.delete(job);
    if (this.#open.size === 0) return;
    job.settle();
    if (this.#controller) this.#abortIfAllAre();
  }

  /** Gives each job its output. @throws RemoteException if it is unclear which job an output belongs to */
  #complete(outputs: BatchOutputs<unknown>): void {
    if (this.#open.size === 0) return;
    const { length } = this.jobs;
    if (outputs !== undefined && !(Array.isArray(outputs) && outputs.length === length))
      throw new RemoteException(
        `runBatch returned ${describe(outputs)}: expected nothing, or a list of ${length} outputs, one for each job.`,
      );
    for (const [index, { entry }] of this.jobs.entries()) entry.complete(outputs?.[index]);
  }
}

/** A job of a call, with the promise of its output. */
class CalledJob {
  readonly entry: BatchedJob;
  readonly ended: Promise<unknown>;
  #settle: (() => void) | undefined;

  constructor(
    context: JobContext,
    private readonly onEnd: (job: CalledJob) => void,
  ) {
    let resolve: (output: unknown) => void = () => {};
    let reject: (error: unknown) => void = () => {};
    const { input, jobId, attempt, token, progress, log, timeLeft } = context;
    this.ended = new Promise((resolveIt, rejectIt) => {
      resolve = resolveIt;
      reject = rejectIt;
    });
    this.entry = {
      input,
      jobId,
      attempt,
      token,
      progress,
      log,
      timeLeft,
      get signal() {
        return context.signal;
      },
      complete: (output) => this.#end(() => resolve(output)),
      fail: (error) => this.#end(() => reject(error)),
    };
  }

  /** Settles the promise, if the job has ended. */
  settle(): void {
    this.#settle?.();
  }

  #end(settle: () => void): void {
    if (this.#settle) return;
    this.#settle = settle;
    this.onEnd(this);
  }
}

function describe(outputs: unknown): string {
  return Array.isArray(outputs) ? `${outputs.length} outputs` : `a value of type ${typeof outputs}`;
}
