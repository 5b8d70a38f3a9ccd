import type { Logger } from '../log.js';
import { withinTime } from '../mongo/within-time.js';
import { type Addition, type AddMiddleware, beginAddition } from './addition.js';
import type { Step } from './compose.js';
import { toFailure } from './failure.js';
import type { NewJob } from './insert-job.js';
import type { JobContext } from './job-context.js';
import type { Metadata } from './metadata.js';

/** What a job's function is called with, and what is known of the job. */
export interface RunContext extends JobContext {
  readonly jobName: string;
  readonly queue: string;
  /** As it was stored with the job. */
  readonly metadata: Metadata;
}

/** Is called around the function of each job. `next` gives what the function returned. */
export type RunMiddleware = (context: RunContext, next: () => Promise<unknown>) => unknown;

/** What a user does around adding and running jobs: see `RemoteProcessor.use`. */
export interface Middleware {
  readonly add?: AddMiddleware | undefined;
  readonly run?: RunMiddleware | undefined;
}

/** The jobs are written: nobody waits for longer for what middleware does then. */
const MAX_WAIT_MS = 3_000;

/** What is done around adding and running jobs, in the order in which it came. */
export class Middlewares {
  #add: readonly AddMiddleware[] = [];
  #run: readonly Step<RunContext, unknown>[] = [];

  constructor(private readonly log: Logger) {}

  use({ add, run }: Middleware): void {
    if (add) this.#add = [...this.#add, add];
    if (run) this.#run = [...this.#run, run];
  }

  get run(): readonly Step<RunContext, unknown>[] {
    return this.#run;
  }

  /** Whether anything is done around adding. */
  get isAround(): boolean {
    return this.#add.length > 0;
  }

  /**
   * Writes jobs as middleware makes them. All of them are written, or none when it refuses one.
   *
   * @param giveUpAt by `performance.now()`: what goes on until then refuses
   * @param scheduler the id of the item that makes them
   * @throws what refuses, and what `write` throws
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

  /** Begins to add a job: up to where it is to be written. */
  begin(job: NewJob, scheduler = job.occurrence?.item): Addition {
    return beginAddition(this.#add, job, scheduler);
  }

  /** Waits for what is done after the write, for a while. It never rejects: what was written is there. */
  async end(additions: readonly Addition[]): Promise<void> {
    const ends = Promise.all(additions.map(({ end }) => end));
    await withinTime(MAX_WAIT_MS, ends, 'A middleware').catch((error: unknown) => {
      this.log.error('A middleware failed after the job was added, or refused it', {
        error: toFailure(error).message,
      });
    });
  }
}
