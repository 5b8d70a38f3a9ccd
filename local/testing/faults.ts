import { type JobContract, type RunMiddleware, UnknownJobNameError } from '../../src/index.js';
import { nameOf } from '../../src/job/registry.js';

/** A job by its name, factory or contract. */
export type WhichJob = string | JobContract;

/** Faults of coming attempts, by the name of the job. Each attempt takes the one that was asked for first. */
export class Faults {
  readonly #waiting = new Map<string, RunMiddleware[]>();

  /** @param jobNames returns the names of the jobs that have attempts here */
  constructor(private readonly jobNames: () => readonly string[]) {}

  /**
   * Lets `fault` run around the next attempt of this job that has no fault yet.
   *
   * @throws UnknownJobNameError
   */
  add(job: WhichJob, fault: RunMiddleware): void {
    const name = nameOf(job);
    const known = this.jobNames();
    if (!known.includes(name)) throw new UnknownJobNameError(name, known);
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), fault]);
  }

  /** The middleware that makes attempts suffer their faults. */
  readonly run: RunMiddleware = (context, next) => {
    const fault = this.#waiting.get(context.jobName)?.shift();
    return fault ? fault(context, next) : next();
  };
}
