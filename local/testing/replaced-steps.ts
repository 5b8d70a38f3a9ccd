import { type JobContract, type StepFunction, UnknownJobNameError } from '../../src/index.js';
import { nameOf } from '../../src/job/registry.js';

/** Functions that replace the functions of steps, and failures of the next tries of steps. */
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
   * Makes one try of this step fail: the next one to which no earlier failure belongs.
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

  /** Returns the function that the next try of a step calls instead of its own, if there is one. */
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
