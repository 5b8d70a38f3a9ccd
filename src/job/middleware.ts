import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import { type Addition, type AddMiddleware, beginAddition } from './addition.js';
import type { Step } from './compose.js';
import { toFailure } from './failure.js';
import type { NewJob } from './insert-job.js';
import type { JobContext } from './job-context.js';
import type { Metadata } from './metadata.js';
import type { StepCall } from './step-call.js';

/** The context of a job's function, with details of the job. */
export interface RunContext extends JobContext {
  readonly jobName: string;
  readonly queue: string;
  /** Metadata stored with the job. */
  readonly metadata: Metadata;
  /** Returns a text, such as an error message, with `[redacted]` in place of the values of the input's redacted fields. */
  readonly redacted: (text: string) => string;
}

/** Middleware called around each job function. `next` returns the function's result. */
export type RunMiddleware = (context: RunContext, next: () => Promise<unknown>) => unknown;

/** A call of a step's function, and its job. */
export interface StepRunContext
  extends StepCall,
    Pick<RunContext, 'jobId' | 'jobName' | 'queue' | 'metadata' | 'redacted'> {}

/** Middleware called around each try of a step. `next` returns the step's result, which is stored then. */
export type StepMiddleware = (context: StepRunContext, next: () => Promise<unknown>) => unknown;

/** User code around adding and running jobs. See `RemoteProcessor.use`. */
export interface Middleware {
  readonly add?: AddMiddleware | undefined;
  readonly run?: RunMiddleware | undefined;
  readonly step?: StepMiddleware | undefined;
}

/** How long to wait for middleware to end once the jobs are written. */
const MAX_WAIT_MS = 3_000;

/** The middleware around adding and running jobs, in the order in which it was added. */
export class Middlewares {
  #add: readonly AddMiddleware[] = [];
  #run: readonly Step<RunContext, unknown>[] = [];
  #step: readonly Step<StepRunContext, unknown>[] = [];

  constructor(private readonly log: Logger) {}

  use({ add, run, step }: Middleware): void {
    if (add) this.#add = [...this.#add, add];
    if (run) this.#run = [...this.#run, run];
    if (step) this.#step = [...this.#step, step];
  }

  get run(): readonly Step<RunContext, unknown>[] {
    return this.#run;
  }

  get step(): readonly Step<StepRunContext, unknown>[] {
    return this.#step;
  }

  /** Whether any middleware wraps adding. */
  get isAround(): boolean {
    return this.#add.length > 0;
  }

  /**
   * Writes jobs as changed by middleware. If middleware refuses one of them, none is written.
   *
   * @param giveUpAt when middleware that has not called `next` counts as refusing, by `performance.now()`
   * @param scheduler id of the item that makes the jobs
   * @throws errors of middleware and of `write`
   */
  async adding<Result>(
    jobs: readonly NewJob[],
    giveUpAt: number,
    write: (jobs: readonly NewJob[]) => Promise<Result>,
    scheduler?: string,
  ): Promise<Result> {
    if (!this.isAround) return write(jobs);
    const additions = jobs.map((job) => this.begin(job, scheduler));
    try {
      const ready = Promise.all(additions.map(({ ready }) => ready));
      const result = await write(await withinTime(giveUpAt - performance.now(), ready, 'A middleware'));
      for (const { written } of additions) written();
      return result;
    } catch (error) {
      for (const { refuse } of additions) refuse(error);
      throw error;
    } finally {
      await this.end(additions);
    }
  }

  /** Begins adding a job, up to the point where it is to be written. */
  begin(job: NewJob, scheduler = job.occurrence?.item): Addition {
    return beginAddition(this.#add, job, scheduler);
  }

  /** Waits up to 3 s for middleware after the write. Never rejects, because the jobs are stored. */
  async end(additions: readonly Addition[]): Promise<void> {
    const ends = Promise.all(additions.map(({ end }) => end));
    await withinTime(MAX_WAIT_MS, ends, 'A middleware').catch((error: unknown) => {
      this.log.error('A middleware failed after the job was added, or refused it', {
        error: toFailure(error).message,
      });
    });
  }
}
