import { type JobContract, type RunMiddleware, UnknownJobNameError } from '../../src/index.js';
import { nameOf } from '../../src/job/registry.js';

/** A job by its name, factory or contract. */
export type WhichJob = string | JobContract;

/** Faults of coming attempts, by the name of the job. Each attempt takes one fault, in the order in which they were added. */
export class Faults {
  readonly #waiting = new Map<string, RunMiddleware[]>();

  /** @param jobNames returns the names of the jobs that have attempts here */
  constructor(private readonly jobNames: () => readonly string[]) {}

  /**
   * Lets `fault` run around an attempt of this job: the next one to which no earlier fault belongs.
   *
   * @throws UnknownJobNameError
   */
  add(job: WhichJob, fault: RunMiddleware): void {
    const name = nameOf(job);
    const known = this.jobNames();
    if (!known.includes(name)) throw new UnknownJobNameError(name, known);
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), fault]);
  }

  /** Runs an attempt with the next fault of its job, if there is one. */
  readonly run: RunMiddleware = (context, next) => {
    const fault = this.#waiting.get(context.jobName)?.shift();
    return fault ? fault(context, next) : next();
  };
}
