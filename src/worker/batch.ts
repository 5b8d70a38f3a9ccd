import { AsyncResource } from 'node:async_hooks';
import type { JobFactory } from '../job/define-job.js';
import type { JobContext } from '../job/job-context.js';
import type { Secrets } from '../job/secrets.js';
import { catchingRejections } from '../job-rejections.js';
import type { Attempt, SharedCall } from './attempt.js';

/** An attempt that has come to the point where its function is to be called. */
interface Arrival {
  readonly attempt: Attempt;
  readonly context: JobContext;
  readonly resolve: (output: Promise<unknown> | undefined) => void;
}

/**
 * Attempts of one kind that share a slot and a call of their function. The batch takes the slot while it waits for more
 * attempts. Then all begin at once, each with its own middleware and timeout. The function is called once each attempt has
 * come to the call or has ended.
 */
export class Batch implements SharedCall {
  readonly jobName: string;
  readonly queue: string;
  /** True until the drain has looked for more jobs. */
  isNew = true;
  hasBegun = false;
  /** Whether it has waited long enough for more jobs. */
  isDue: boolean;
  readonly #factory: JobFactory;
  readonly #attempts = new Set<Attempt>();
  readonly #arrived: Arrival[] = [];
  #secrets: Secrets | undefined;
  /** The function is called outside of the middleware of any job, since it works for all. */
  readonly #scope = new AsyncResource('RemoteProcessorBatch');
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param onDue called when the batch has waited long enough, unless it has begun before */
  constructor(
    first: Attempt,
    private readonly size: number,
    waitMs: number,
    onDue: () => void,
  ) {
    this.#factory = first.factory;
    this.jobName = first.job.jobName;
    this.queue = first.job.queue;
    this.isDue = waitMs === 0;
    const due = () => {
      this.isDue = true;
      onDue();
    };
    if (waitMs > 0) this.#timer = setTimeout(due, waitMs);
    this.add(first);
  }

  /** How many more attempts it takes. */
  get seats(): number {
    return this.hasBegun ? 0 : this.size - this.#attempts.size;
  }

  /** Adds an attempt, and begins when it is full. Returns whether it took the attempt. */
  add(attempt: Attempt): boolean {
    if (this.seats === 0) return false;
    this.#attempts.add(attempt);
    this.#shareSecrets(attempt);
    attempt.batch = this;
    if (this.seats === 0) this.begin();
    return true;
  }

  /** Lets the report of each attempt hide the redacted values of all. An error of the call goes to all of them. */
  #shareSecrets({ report, job }: Attempt): void {
    if (!report.secrets) return;
    this.#secrets ??= report.secrets;
    report.secrets = this.#secrets.learn(job.input);
  }

  begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    clearTimeout(this.#timer);
    for (const attempt of this.#attempts) attempt.begin();
  }

  /** Removes an attempt that has ended. Returns whether it was the last. */
  remove(attempt: Attempt): boolean {
    this.#attempts.delete(attempt);
    const isOver = this.#attempts.size === 0;
    if (isOver) clearTimeout(this.#timer);
    else this.#callIfAllArrived();
    return isOver;
  }

  /** Returns the output of the attempt's job, once the function was called for the whole batch. */
  call(attempt: Attempt, context: JobContext): Promise<unknown> {
    return new Promise((resolve) => {
      this.#arrived.push({ attempt, context, resolve });
      this.#callIfAllArrived();
    });
  }

  #callIfAllArrived(): void {
    if (this.#arrived.length < this.#attempts.size) return;
    const arrived = this.#arrived.filter(({ attempt }) => this.#attempts.has(attempt));
    if (arrived.length === 0 || arrived.length < this.#attempts.size) return;
    this.#arrived.length = 0;
    const contexts = arrived.map(({ context }) => context);
    const outputs = this.#scope.runInAsyncScope(() =>
      catchingRejections(
        (reason) => this.#reject(reason, arrived),
        () => this.#factory.runBatch?.(contexts),
      ),
    );
    for (const [index, { resolve }] of arrived.entries()) resolve(outputs?.[index]);
  }

  /** Fails the batch for a rejected promise that its function left behind. */
  #reject(reason: unknown, called: readonly Arrival[]): void {
    const open = called.filter(({ attempt }) => !attempt.hasEnded);
    for (const { attempt } of open.length > 0 ? open : called.slice(0, 1)) attempt.reject(reason);
  }
}
