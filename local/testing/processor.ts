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
  /** Time that the clock shows at first: a Date, or ISO 8601 text with an offset. Default: this machine's time. */
  readonly now?: Date | string;
  /**
   * Called with the time at first, and whenever the clock moves, to set the time of your own code as well, such as
   * `(now) => vi.setSystemTime(now)`.
   */
  readonly onTime?: (now: Date) => void;
}

/** An attempt that ended, and when it ended by the clock. */
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

  /** Returns the time of the database. Compute `runAt` and `at` of this, not of `Date.now()`. */
  now(): Date {
    return new Date(this.#clock.now());
  }

  /**
   * Moves the clock, and runs what becomes due meanwhile, in order of time: schedules, delayed jobs, retries, jobs whose
   * steps have waited, and jobs whose workers were lost. Begins with what is due already. Each job sees the moment at which it is due.
   *
   * @returns the attempts that ended, in their order
   * @throws ValidationError for an invalid duration
   */
  async advance(duration: Duration): Promise<EndedAttempt[]> {
    const ms = validateNow(durationSchema, duration, 'The call of advance');
    return this.#endedDuring(() => this.#runUntil(this.#clock.now() + ms));
  }

  /**
   * Runs what is due now, and what is added meanwhile to run at once. Delayed jobs and retries that wait need `advance`.
   *
   * @returns the attempts that ended, in their order
   */
  async drainAll(): Promise<EndedAttempt[]> {
    return this.#endedDuring(() => this.#runDue());
  }

  /**
   * The next attempt of this job fails with `error`, instead of calling its function.
   *
   * @throws UnknownJobNameError if no code is registered for this job
   */
  failNext(job: WhichJob, error: unknown = new Error('Failed by failNext.')): void {
    this.#faults.add(job, () => {
      throw error;
    });
  }

  /**
   * The next attempt of this job stands still for `duration` before it calls its function. Meanwhile the clock moves, as by
   * `advance`, and its worker renews no lease. So after a lease (30 s by default), another worker runs the job, and then
   * this attempt calls the function with an old token, and ends as `stale`. The same happens to the other jobs that the
   * worker runs; with `maxThreads: 1` there are none.
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
   * The next attempt of this job loses its worker after the function has ended, before that is stored. The clock moves to
   * the moment at which the job is recovered, and the function runs once more. So do the other jobs that the worker runs;
   * with `maxThreads: 1` there are none.
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
   * Calls `work` instead of the function of this step, from now on. What it returns is stored as the step's result. In
   * an iteration, that is the result of the whole.
   *
   * @throws UnknownJobNameError as `failNext` does
   * @example
   * processor.replaceStep(order, 'charge', () => ({ id: 'charge-1' }));
   */
  replaceStep(job: WhichJob, step: string, work: StepFunction<unknown>): void {
    this.#replaced.replace(job, step, work);
  }

  /**
   * The next try of this step fails with `error`, instead of calling its function.
   *
   * @throws UnknownJobNameError as `failNext` does
   */
  failNextStep(job: WhichJob, step: string, error: unknown = new Error('Failed by failNextStep.')): void {
    this.#replaced.failNext(job, step, error);
  }

  /**
   * Answers a callback by its link, as its page or a service would.
   *
   * @param answer value of at most 64 KB
   * @returns `duplicate` if it was answered before. Nothing is changed then
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

  /** Makes due jobs of scheduler items and runs due jobs, until there are none. */
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
