import { type JobContract, type StepFunction, UnknownJobNameError } from '../../src/index.js';
import { nameOf } from '../../src/job/registry.js';

/** Functions that are called instead of those of steps, and failures of their next tries. */
export class ReplacedSteps {
  readonly #always = new Map<string, StepFunction<unknown>>();
  readonly #once = new Map<string, StepFunction<unknown>[]>();

  /** @param jobNames returns the names of the jobs that have attempts here */
  constructor(private readonly jobNames: () => readonly string[]) {}

  /** Replaces the function of a step. @throws UnknownJobNameError */
  replace(job: string | JobContract, step: string, work: StepFunction<unknown>): void {
    this.#always.set(this.#keyOf(job, step), work);
  }

  /**
   * Lets the next try of this step that has no failure yet fail.
   *
   * @throws UnknownJobNameError
   */
  failNext(job: string | JobContract, step: string, error: unknown): void {
    const key = this.#keyOf(job, step);
    const fail = () => {
      throw error;
    };
    this.#once.set(key, [...(this.#once.get(key) ?? []), fail]);
  }

  /** Returns what the next try of a step calls instead of its own function. */
  readonly replacement = (jobName: string, step: string): StepFunction<unknown> | undefined => {
    const key = keyOf(jobName, step);
    return this.#once.get(key)?.shift() ?? this.#always.get(key);
  };

  #keyOf(job: string | JobContract, step: string): string {
    const name = nameOf(job);
    const known = this.jobNames();
    if (!known.includes(name)) throw new UnknownJobNameError(name, known);
    return keyOf(name, step);
  }
}

function keyOf(jobName: string, step: string): string {
  return JSON.stringify([jobName, step]);
}
