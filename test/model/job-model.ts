import type { JobStatus, SettledStatus } from '../../src/index.js';

/** The state of a job in the model. */
export interface ModelJob {
  status: JobStatus;
  retryCounter: number;
  givenBackCounter: number;
  maxRetries: number;
  priority: number;
  isDue: boolean;
  cancelRequested: boolean;
  runAlone: boolean;
  /** The unique key, which counts only while the job is not settled. */
  key: string | undefined;
  /** The token of the lease, while the job is processing. */
  token: string | undefined;
  /** The token of the attempt that was settled last. */
  lastToken: string | undefined;
  /** Whether the lease has expired. */
  isExpired: boolean;
  /** The worker that holds the job. Jobs of the same worker are lost together. */
  worker: string | undefined;
}

const settled: readonly JobStatus[] = ['completed', 'error', 'cancelled'];

/** The state machine of jobs without a database, which the real one is compared with. */
export class JobModel {
  readonly jobs = new Map<string, ModelJob>();

  add(id: string, { maxRetries, priority, key }: Pick<ModelJob, 'maxRetries' | 'priority' | 'key'>): void {
    this.jobs.set(id, {
      status: 'queued',
      retryCounter: 0,
      givenBackCounter: 0,
      maxRetries,
      priority,
      isDue: true,
      cancelRequested: false,
      runAlone: false,
      key,
      token: undefined,
      lastToken: undefined,
      isExpired: false,
      worker: undefined,
    });
  }

  job(id: string): ModelJob {
    const job = this.jobs.get(id);
    if (job) return job;
    throw new Error(`The model has no job '${id}'.`);
  }

  ids(...statuses: JobStatus[]): string[] {
    return [...this.jobs].filter(([, { status }]) => statuses.includes(status)).map(([id]) => id);
  }

  /**
   * Returns the jobs that may run next: due and of the highest priority. Jobs that must run alone come only if there
   * are no others, except that a drain begins with them.
   */
  next(aloneFirst = false): string[] {
    const all = this.ids('queued').filter((id) => this.job(id).isDue);
    const first = all.filter((id) => this.job(id).runAlone === aloneFirst);
    const due = first.length > 0 ? first : all;
    const highest = Math.max(...due.map((id) => this.job(id).priority));
    return due.filter((id) => this.job(id).priority === highest);
  }

  /** Returns the unsettled job that has this key. */
  holderOf(key: string): string | undefined {
    return this.ids('queued', 'processing').find((id) => this.job(id).key === key);
  }

  claim(id: string, token: string): void {
    const job = this.job(id);
    Object.assign(job, { status: 'processing', token, isExpired: false, worker: token });
    job.retryCounter += 1;
  }

  holds(id: string, token: string): boolean {
    return this.jobs.get(id)?.token === token;
  }

  /**
   * Returns whether this attempt settled the job last. If so, settling again changes nothing and returns the status.
   */
  settledLast(id: string, token: string): boolean {
    return this.jobs.get(id)?.lastToken === token;
  }

  complete(id: string): void {
    this.#end(id, 'completed');
  }

  fail(id: string): void {
    const { retryCounter, maxRetries } = this.job(id);
    this.#end(id, retryCounter >= maxRetries ? 'error' : 'queued');
  }

  failForGood(id: string): void {
    this.#end(id, 'error');
  }

  giveBack(id: string): void {
    const { runAlone } = this.job(id);
    this.#giveBack(id);
    this.job(id).runAlone = runAlone;
  }

  cancel(id: string): void {
    const job = this.job(id);
    job.cancelRequested = true;
    if (job.status === 'queued') job.status = 'cancelled';
  }

  /** Ends every expired lease. A job that was lost alone has used up its attempt. */
  recover(): void {
    const lost = this.ids('processing').filter((id) => this.job(id).isExpired);
    const workers = lost.map((id) => this.job(id).worker);
    const isAlone = lost.map(
      (_, index) => workers.filter((worker) => worker === workers[index]).length === 1,
    );
    for (const [index, id] of lost.entries()) {
      if (isAlone[index]) this.fail(id);
      else this.#giveBack(id);
      Object.assign(this.job(id), { runAlone: true, lastToken: undefined });
    }
  }

  /** Queues a job again. A delay from before its cancellation stays. */
  retry(id: string): void {
    const job = this.job(id);
    Object.assign(job, { status: 'queued', cancelRequested: false });
    job.maxRetries += 1;
  }

  remove(statuses: readonly SettledStatus[]): void {
    for (const id of this.ids(...statuses)) this.jobs.delete(id);
  }

  #giveBack(id: string): void {
    const job = this.job(id);
    job.retryCounter -= 1;
    job.givenBackCounter += 1;
    this.#end(id, 'queued');
  }

  #end(id: string, status: JobStatus): void {
    const job = this.job(id);
    job.status = job.cancelRequested ? 'cancelled' : status;
    Object.assign(job, {
      lastToken: job.token,
      token: undefined,
      isExpired: false,
      worker: undefined,
      runAlone: false,
    });
  }
}

export function isSettled({ status }: ModelJob): boolean {
  return settled.includes(status);
}
