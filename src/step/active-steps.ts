import { isKind } from '../brand.js';
import { AttemptAbortedError } from '../errors.js';
import type { Outcome } from '../job/outcome.js';
import type { StepWrite, StepWrites, WaitWrite } from '../job/step-log.js';
import type { StepHost } from './step-host.js';

/**
 * Counts the steps of an attempt that are under way. Ends the attempt once only waits are left. The promise of a waiting step
 * never settles, because the job's function is called anew after the wait.
 */
export class ActiveSteps {
  isParked = false;
  /** Steps that run, read or write. */
  #count = 0;
  readonly #waits = new Map<string, WaitWrite>();
  /** Steps to be stored when the job is suspended. */
  readonly #before: StepWrite[] = [];
  /** Whether a step lacked the time to begin. The job then goes on as soon as it can. */
  #isOutOfTime = false;

  /** @param writesWith returns everything to store with these steps */
  constructor(
    private readonly host: StepHost,
    private readonly writesWith: (steps: readonly StepWrite[]) => StepWrites,
  ) {}

  /** Does a step. If it waits, the returned promise never settles. */
  async during<Value>(step: () => Promise<Value>): Promise<Value> {
    this.#count += 1;
    try {
      return await step();
    } finally {
      this.#leave();
    }
  }

  /**
   * Suspends the job once no other step is under way. Never resolves.
   *
   * @param before a step to store when the job is suspended
   */
  wait(write: WaitWrite, before?: StepWrite): Promise<never> {
    this.#waits.set(write.name, write);
    if (before) this.#before.push(before);
    this.#leave();
    return never();
  }

  /**
   * Resolves if there is time to begin a step of this duration. Never resolves if the attempt has to end first: the job goes on
   * in another attempt.
   *
   * @throws as `mayBegin` does
   */
  async begin(expectedMs: number): Promise<void> {
    if (!(await this.mayBegin(expectedMs))) await this.stopHere();
  }

  /**
   * Returns whether there is time to begin a step of this duration. If not, the time is over when this returns.
   *
   * @throws the reason of the job's signal if the job is not to go on
   */
  async mayBegin(expectedMs: number): Promise<boolean> {
    this.#throwIfAborted();
    if (!this.#mustEnd && expectedMs < this.host.attempt.timeLeft()) return true;
    await this.host.attempt.outOfTime();
    this.#throwIfAborted();
    return false;
  }

  /** Lets the job go on in another attempt, once no other step is under way. Never resolves. */
  stopHere(): Promise<never> {
    this.#isOutOfTime = true;
    this.#leave();
    return never();
  }

  /** Ends the attempt with this outcome. Never resolves. */
  park(outcome: Outcome): Promise<never> {
    if (!this.isParked) {
      this.isParked = true;
      this.host.park(outcome);
    }
    return never();
  }

  get #mustEnd(): boolean {
    const { signal } = this.host.attempt;
    return signal.aborted && isKind(signal.reason, AttemptAbortedError) && goesOn.has(signal.reason.why);
  }

  #throwIfAborted(): void {
    if (this.host.attempt.signal.aborted && !this.#mustEnd) throw this.host.attempt.signal.reason;
  }

  /** Notes that a step has ended or waits. The job's code may begin another step before the next turn of the event loop. */
  #leave(): void {
    this.#count -= 1;
    if (this.#standsStill) setImmediate(() => this.#standsStill && this.#parkAll());
  }

  get #standsStill(): boolean {
    return this.#count === 0 && !this.isParked && (this.#isOutOfTime || this.#waits.size > 0);
  }

  #parkAll(): void {
    this.isParked = true;
    this.host.park(this.#waits.size === 0 ? undefined : this.#suspended());
  }

  #suspended(): Outcome {
    const waits = [...this.#waits.values()];
    const [first] = waits;
    // Giving the job back would let the waits begin anew in the next attempt.
    if (this.#isOutOfTime && first) waits.push({ name: first.name, kind: 'retry', agoMs: 0, until: 0 });
    return { kind: 'suspended', writes: this.writesWith(this.#before), waits };
  }
}

/** Reasons to end an attempt whose job goes on in another attempt. */
const goesOn: ReadonlySet<string> = new Set(['stopping', 'timed out']);

/** Returns a promise that never settles. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
