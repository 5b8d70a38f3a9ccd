import { randomUUID } from 'node:crypto';
import type { Db } from 'mongodb';
import { z } from 'zod';
import { type Collections, openCollections } from '../../src/collections/collections.js';
import { durationSchema } from '../../src/duration.js';
import {
  type AttemptEnded,
  type Duration,
  type JobsByName,
  RemoteProcessor,
  type RemoteProcessorOptions,
  type SentSignal,
  type StepFunction,
  silentLogger,
  ValidationError,
} from '../../src/index.js';
import { momentSchema } from '../../src/job/job-options.js';
import { Callbacks, type CallbacksOptions, callbackSignal } from '../../src/step/callbacks.js';
import { validateNow } from '../../src/validate.js';
import { Faults, type WhichJob } from './faults.js';
import { findNextMoment, findRecovery } from './find-next-moment.js';
import { makeIndexes } from './make-indexes.js';
import { type OwnDatabase, openOwnDatabase } from './own-database.js';
import { ReplacedSteps } from './replaced-steps.js';
import { TestClock } from './test-clock.js';

/** Options of `createTestProcessor`: those of `RemoteProcessor` without `db`. `log` is silent by default. */
export interface TestProcessorOptions<Jobs extends JobsByName = JobsByName>
  extends Omit<RemoteProcessorOptions<Jobs>, 'db'> {
  /** The first time of the clock: a Date, or ISO 8601 text with an offset. Default: this machine's time. */
  readonly now?: Date | string;
  /**
   * Called with the first time, and whenever the clock moves. Sets the time of your own code, such as
   * `(now) => vi.setSystemTime(now)`.
   */
  readonly onTime?: (now: Date) => void;
}

/** An attempt that ended, with the time of its end by the clock. */
export interface EndedAttempt extends AttemptEnded {
  readonly at: Date;
}

const timeSchema = z.object({
  now: momentSchema.default(() => new Date()),
  onTime: z
    .custom<(now: Date) => void>((value) => typeof value === 'function', 'expected a function')
    .default(() => () => {}),
});

/**
 * Makes a processor for one test, with an empty database of its own and a clock that only `advance` moves. All test
 * processors of a process share one embedded MongoDB, which ends with the last of them. Close each one.
 *
 * @throws ValidationError listing invalid options
 * @example
 * await using processor = await createTestProcessor({ jobs: { remind }, now: new Date('2026-01-31T09:00:00Z') });
 * await processor.addJob('remind', { user: 'Ada' }, { delay: '2 days' });
 * await processor.advance('2 days');
 */
export async function createTestProcessor<Jobs extends JobsByName = JobsByName>(
  options: TestProcessorOptions<Jobs> = {},
): Promise<TestProcessor<Jobs>> {
  const { now: given, onTime: givenOnTime, ...rest } = options;
  const time = { now: given, onTime: givenOnTime };
  const { now, onTime } = validateNow(timeSchema, time, 'The call of createTestProcessor');
  const clock = new TestClock(now, onTime);
  const database = await openOwnDatabase(clock.now);
  try {
    const { callbacks = { url: 'https://jobs.test', secrets: [randomUUID()] } } = rest;
    const processor = new TestProcessor<Jobs>(
      { log: silentLogger, ...rest, callbacks, db: database.db },
      callbacks,
      clock,
      database,
    );
    await makeIndexes(openCollections(database.db, processor.collectionPrefix));
    return processor;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** A RemoteProcessor whose time stands still until it is moved. Made by `createTestProcessor`. */
export class TestProcessor<out Jobs extends JobsByName = JobsByName> extends RemoteProcessor<Jobs> {
  /** The database of this processor alone. */
  declare readonly db: Db;
  readonly #clock: TestClock;
  readonly #database: OwnDatabase;
  readonly #collections: Collections;
  readonly #faults = new Faults(() => this.jobNames);
  readonly #replaced = new ReplacedSteps(() => this.jobNames);
  readonly #callbacks: Callbacks;

  /** @internal */
  constructor(
    options: RemoteProcessorOptions<Jobs>,
    callbacks: CallbacksOptions,
    clock: TestClock,
    database: OwnDatabase,
  ) {
    super(options);
    this.#callbacks = new Callbacks(callbacks);
    this.#clock = clock;
    this.#database = database;
    this.#collections = openCollections(this.db, this.collectionPrefix);
    this.use({ run: this.#faults.run });
    this.setStepRules({ maxInPlaceMs: 0, replacement: this.#replaced.replacement });
  }

  /** Returns the time of the database. Compute `runAt` and `at` from this, not from `Date.now()`. */
  now(): Date {
    return new Date(this.#clock.now());
  }

  /**
   * Moves the clock, and runs everything that becomes due meanwhile, in order of time: schedules, delayed jobs, retries,
   * jobs whose steps have waited, and jobs whose workers were lost. Begins with everything that is due already. Each job
   * runs at the moment at which it becomes due.
   *
   * @returns the attempts that ended, in their order
   * @throws ValidationError for an invalid duration
   */
  async advance(duration: Duration): Promise<EndedAttempt[]> {
    const ms = validateNow(durationSchema, duration, 'The call of advance');
    return this.#endedDuring(() => this.#runUntil(this.#clock.now() + ms));
  }

  /**
   * Runs the jobs that are due now, and the jobs without a delay that are added meanwhile. Use `advance` for delayed jobs
   * and for retries that wait.
   *
   * @returns the attempts that ended, in their order
   */
  async drainAll(): Promise<EndedAttempt[]> {
    return this.#endedDuring(() => this.#runDue());
  }

  /**
   * Makes the next attempt of this job fail with `error`, instead of calling its function.
   *
   * @throws UnknownJobNameError if no code is registered for this job
   */
  failNext(job: WhichJob, error: unknown = new Error('Failed by failNext.')): void {
    this.#faults.add(job, () => {
      throw error;
    });
  }

  /**
   * Makes the next attempt of this job stand still for `duration` before it calls its function. Meanwhile the clock moves as
   * by `advance`, and the worker renews no lease. If the duration is longer than a lease (30 s by default), another worker
   * runs the job. Then the first attempt calls the function with its old token, and ends as `stale`. The same happens to all
   * jobs that the worker runs. With `maxThreads: 1` it runs no other job.
   *
   * @throws ValidationError for an invalid duration, and UnknownJobNameError as `failNext` does
   */
  slowNext(job: WhichJob, duration: Duration): void {
    const ms = validateNow(durationSchema, duration, 'The call of slowNext');
    this.#faults.add(job, async (_context, next) => {
      await this.#runUntil(this.#clock.now() + ms);
      return next();
    });
  }

  /**
   * Makes the next attempt of this job lose its worker after the function has ended, but before the result is stored. The
   * clock moves to the moment at which the job is recovered. Then the function runs once more. The same happens to all jobs
   * that the worker runs. With `maxThreads: 1` it runs no other job.
   *
   * @throws UnknownJobNameError as `failNext` does
   */
  loseNext(job: WhichJob): void {
    this.#faults.add(job, async ({ jobId }, next) => {
      const output = await next();
      await this.#runUntil((await findRecovery(this.#collections.jobs, jobId)) ?? this.#clock.now());
      return output;
    });
  }

  /**
   * Calls `work` instead of the function of this step, from now on. Its return value is stored as the result of the step.
   * For an iteration, that is the result of the whole iteration.
   *
   * @throws UnknownJobNameError as `failNext` does
   * @example
   * processor.replaceStep(order, 'charge', () => ({ id: 'charge-1' }));
   */
  replaceStep(job: WhichJob, step: string, work: StepFunction<unknown>): void {
    this.#replaced.replace(job, step, work);
  }

  /**
   * Makes the next try of this step fail with `error`, instead of calling its function.
   *
   * @throws UnknownJobNameError as `failNext` does
   */
  failNextStep(job: WhichJob, step: string, error: unknown = new Error('Failed by failNextStep.')): void {
    this.#replaced.failNext(job, step, error);
  }

  /**
   * Answers a callback through its link, as the callback's page or a service would.
   *
   * @param answer value of at most 64 KB
   * @returns `duplicate` if the callback was answered before. Then nothing changes
   * @throws ValidationError for a link that was not made here, and as `signal` does
   */
  async answer(url: string, answer: unknown): Promise<SentSignal> {
    const of = this.#callbacks.read(url.slice(url.lastIndexOf('/') + 1));
    if (!of)
      throw new ValidationError('The call of answer', [
        { path: 'url', message: 'expected the url of a callback of this processor' },
      ]);
    const name = callbackSignal(of);
    return this.signal(of.jobId, name, answer, { signalId: name });
  }

  /** Drops the database. The last test processor of the process stops the embedded MongoDB. */
  async close(): Promise<void> {
    await this.#database.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #runUntil(until: number): Promise<void> {
    await this.#runDue();
    while (this.#clock.now() < until) {
      const next = await findNextMoment(this.#collections, this.#clock.now(), until);
      this.#clock.moveTo(next ?? until);
      await this.#runDue();
    }
    this.#database.removeExpired();
  }

  /** Adds the jobs of due scheduler items, and runs due jobs, until nothing is due. */
  async #runDue(): Promise<void> {
    await this.scheduleDueItems();
    for (;;) {
      const { claimed } = await this.drain();
      if (claimed === 0) return;
      const made = await this.scheduleDueItems(); // A job may have added an item.
      if (made.length === 0) return;
    }
  }

  async #endedDuring(work: () => Promise<void>): Promise<EndedAttempt[]> {
    const ended: EndedAttempt[] = [];
    const stopListening = this.on('attemptEnded', (attempt) => {
      ended.push({ ...attempt, at: this.now() });
    });
    try {
      await work();
    } finally {
      stopListening();
    }
    return ended;
  }
}
