import type { LambdaHandler } from '../../handlers/lambda.js';
import { contextOf } from './events.js';
import { type Message, queueEvent } from './sqs-service.js';

/** The time of a cold start, which Lambda bills too. */
const COLD_START_MS = 500;

/** The time from when a message can be received, or EventBridge fires, until the function's code runs. */
const DELIVERY_MS = 60;

/** The time of an invocation that finds nothing: three commands to the database, the log, Lambda's own part. */
const OVERHEAD_MS = 30;

/** Returns the billed milliseconds of an invocation by its result, without the overhead. */
type WorkOf = (result: unknown) => number;

/**
 * The time of a model. Planned events happen at their moment, one after the other, and the real code they call takes no
 * time.
 */
export class ModelTime {
  #planned: { readonly at: number; readonly happen: () => Promise<void> | void }[] = [];

  /** @param onMove called when time has moved */
  constructor(
    public now: number,
    private readonly onMove: (now: number) => void,
  ) {
    onMove(now);
  }

  /** Plans an event that happens `inMs` milliseconds from now. */
  plan(inMs: number, happen: () => Promise<void> | void): void {
    this.#planned.push({ at: this.now + inMs, happen });
  }

  async runUntil(end: number): Promise<void> {
    for (;;) {
      this.#planned.sort((a, b) => a.at - b.at); // The sort is stable: what was planned first happens first.
      const next = this.#planned[0];
      if (next === undefined || next.at > end) return;
      this.#planned.shift();
      this.now = next.at;
      this.onMove(this.now);
      await next.happen();
    }
  }
}

/** A function as Lambda runs it, in containers that each take one event at a time and are reused. */
export class EmulatedFunction {
  invocations = 0;
  billedMs = 0;
  running = 0;
  mostAtATime = 0;
  readonly #idle: LambdaHandler<unknown>[] = [];

  /** @param start makes the handler of a new container */
  constructor(
    private readonly time: ModelTime,
    private readonly start: () => LambdaHandler<unknown>,
    private readonly workOf: WorkOf,
  ) {}

  forgetBill(): void {
    this.invocations = 0;
    this.billedMs = 0;
  }

  /** @param onEnd called when the invocation has ended */
  invoke(event: unknown, onEnd: () => void = () => {}): void {
    const warm = this.#idle.pop();
    const container = warm ?? this.start();
    const coldMs = warm ? 0 : COLD_START_MS;
    this.invocations += 1;
    this.running += 1;
    this.mostAtATime = Math.max(this.mostAtATime, this.running);
    this.time.plan(coldMs + DELIVERY_MS, async () => {
      const workMs = this.workOf(await container(event, contextOf(300_000)));
      this.billedMs += coldMs + OVERHEAD_MS + workMs;
      this.time.plan(OVERHEAD_MS + workMs, () => {
        this.running -= 1;
        this.#idle.push(container);
        onEnd();
      });
    });
  }
}

/**
 * An SQS event source mapping. Passes on messages whose delay is over, in at most `maximumConcurrency` batches at a
 * time.
 */
export class EmulatedQueue {
  readonly #visible: Message[] = [];
  #batches = 0;

  constructor(
    private readonly time: ModelTime,
    private readonly target: EmulatedFunction,
    private readonly maximumConcurrency: number,
  ) {}

  readonly send = (message: Message): void => {
    this.time.plan(message.delaySeconds * 1000, () => {
      this.#visible.push(message);
      this.#poll();
    });
  };

  #poll(): void {
    while (this.#batches < this.maximumConcurrency && this.#visible.length > 0) {
      const batch = this.#visible.splice(0, 10);
      this.#batches += 1;
      this.target.invoke(queueEvent(...batch.map(({ body }) => body)), () => {
        this.#batches -= 1;
        this.#poll();
      });
    }
  }
}
