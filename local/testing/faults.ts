import type { JobContract, RunMiddleware } from '../../src/index.js';

/** A job by its name, factory or contract. */
export type WhichJob = string | JobContract;

/** Faults of coming attempts, by the name of the job. Each attempt takes the one that was asked for first. */
export class Faults {
  readonly #waiting = new Map<string, RunMiddleware[]>();

  /** Lets `fault` run around the next attempt of this job that has no fault yet. */
  add(job: WhichJob, fault: RunMiddleware): void {
    const name = typeof job === 'string' ? job : job.name;
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), fault]);
  }

  /** The middleware that makes attempts suffer their faults. */
  readonly run: RunMiddleware = (context, next) => {
    const fault = this.#waiting.get(context.jobName)?.shift();
    return fault ? fault(context, next) : next();
  };
}
