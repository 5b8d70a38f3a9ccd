import { z } from 'zod';
import { openCollections } from '../src/collections/collections.js';
import { durationSchema, timerDurationSchema } from '../src/duration.js';
import {
  type Duration,
  type JobsByName,
  RemoteProcessor,
  type RemoteProcessorOptions,
} from '../src/index.js';
import { withinTime } from '../src/mongo/within-time.js';
import { validateNow } from '../src/validate.js';
import { withStopSignal } from '../src/worker/stop-signal.js';
import { unlessAborted } from '../src/worker/unless-aborted.js';
import { Loop } from './loop.js';
import { ReplacedDatabase } from './replaced-database.js';

export interface LocalProcessorOptions<Jobs extends JobsByName = JobsByName>
  extends RemoteProcessorOptions<Jobs> {
  /** How often the worker looks for due jobs. Jobs that this object queues are found at once. Default 1 s. */
  readonly pollInterval?: Duration;
  /** How often the scheduler looks for due items. Default 1 s. On AWS it is a minute. */
  readonly scheduleInterval?: Duration;
  /**
   * Makes the indexes and the declared scheduler items again. The loops call it when an empty database has replaced the
   * old one, for example after the restart of a database that keeps nothing on disk. They store the registered job
   * factories before the call. Default: the loops only log that the database is empty.
   */
  readonly setUp?: (processor: LocalProcessor) => Promise<void>;
}

/**
 * The longest time that a loop may show no sign of life. A worker shows one at each poll, however long its jobs run. The
 * time is longer than any wait for a database that does not answer, because a restart would not help then.
 */
const STUCK_AFTER_MS = 5 * 60_000;

/** The longest time that a stopping scheduler waits for an alert to be sent. */
const MAX_TELLING_MS = 5_000;

const loopOptionsSchema = z.object({
  pollInterval: timerDurationSchema.default(1000),
  scheduleInterval: timerDurationSchema.default(1000),
  setUp: z.custom((value) => typeof value === 'function', 'expected a function').optional(),
});

type LoopKind = 'worker' | 'scheduler';

/**
 * A RemoteProcessor with loops that take the place of EventBridge and Lambda on one machine. Nothing runs until a loop
 * is started.
 *
 * @example
 * const processor = new LocalProcessor({ db });
 * processor.startProcessor();
 * processor.startScheduler();
 * process.once('SIGTERM', () => Promise.all([processor.stopProcessor(), processor.stopScheduler()]));
 */
export class LocalProcessor<out Jobs extends JobsByName = JobsByName> extends RemoteProcessor<Jobs> {
  readonly #pollMs: number;
  readonly #scheduleMs: number;
  readonly #database: ReplacedDatabase;
  #worker: Loop | undefined;
  #scheduler: Loop | undefined;
  /** Resolves when the alert under way has been sent. */
  #telling: Promise<unknown> = Promise.resolve();
  /** The loops that were told to stop and have not stopped yet. */
  readonly #stopping = new Set<Loop>();

  constructor({ pollInterval, scheduleInterval, setUp, ...options }: LocalProcessorOptions<Jobs>) {
    super(options);
    const collections = openCollections(this.db, this.collectionPrefix);
    this.#database = new ReplacedDatabase(
      collections,
      this.log,
      () => this.storeJobFactoriesAgain(),
      setUp && (() => setUp(this)),
    );
    const intervals = validateNow(
      loopOptionsSchema,
      { pollInterval, scheduleInterval, setUp },
      'The configuration of LocalProcessor',
    );
    // A turn that is under way has its own listener.
    this.on('jobsReady', () => this.#worker?.nudge());
    this.onDrainGoesOn(() => this.#worker?.noteLife());
    this.#pollMs = intervals.pollInterval;
    this.#scheduleMs = intervals.scheduleInterval;
  }

  /** True from `startProcessor` until `stopProcessor` is called. */
  get isProcessing(): boolean {
    return this.#worker !== undefined;
  }

  /** True from `startScheduler` until `stopScheduler` is called. */
  get isScheduling(): boolean {
    return this.#scheduler !== undefined;
  }

  /** Returns the names of the running loops, including loops that are about to stop. */
  loops(): string[] {
    return this.#allLoops.map(({ name }) => name);
  }

  /**
   * Returns the names of the loops that have shown no sign of life for a time, for example because `setUp` never returns.
   * A process with a stuck loop should be restarted. Default: 5 minutes, longer than any wait for the database.
   */
  stuckLoops(after: Duration = STUCK_AFTER_MS): string[] {
    const afterMs = validateNow(durationSchema, after, 'The call of stuckLoops');
    return this.#allLoops.filter(({ silentMs }) => silentMs >= afterMs).map(({ name }) => name);
  }

  /** Starts processing jobs in the background. Does nothing when processing has started already. */
  startProcessor(): void {
    this.#worker ??= this.#startLoop('worker', this.#pollMs, (signal) =>
      this.drain({ signal, pollInterval: this.#pollMs, linger: this.#pollMs }),
    );
  }

  /**
   * Stops processing: claims no more jobs, tells running jobs to stop, and gives back those that do not end in 5 s.
   * Resolves when this processor holds no job, or after 10 s if the database does not answer. Jobs that it still holds
   * are recovered once their leases expire.
   */
  async stopProcessor(): Promise<void> {
    if (this.#worker) this.#stopping.add(this.#worker);
    this.#worker = undefined;
    await this.#endOfLoops('worker');
  }

  /** Starts turning due scheduler items into jobs. Does nothing when the scheduler has started already. */
  startScheduler(): void {
    this.#scheduler ??= this.#startLoop('scheduler', this.#scheduleMs, async (signal) => {
      this.#telling = Promise.all([this.#telling, this.tellVerdict()]); // Schedules do not wait for a webhook.
      const schedule = () => this.scheduleDueItems({ ahead: 2 * this.#scheduleMs });
      await withStopSignal({ signal }, ({ cutOff }) => unlessAborted(cutOff, schedule()));
    });
  }

  /**
   * Stops the scheduler, and resolves when the turn under way has ended. Waits at most 5 s, because the database may
   * not answer. A turn that goes on after that still makes each change as a whole or not at all.
   */
  async stopScheduler(): Promise<void> {
    if (this.#scheduler) this.#stopping.add(this.#scheduler);
    this.#scheduler = undefined;
    await this.#endOfLoops('scheduler');
    await withinTime(MAX_TELLING_MS, this.#telling).catch(() => {});
  }

  get #allLoops(): readonly Loop[] {
    return [this.#scheduler, this.#worker, ...this.#stopping].filter((loop) => loop !== undefined);
  }

  async #endOfLoops(kind: LoopKind): Promise<void> {
    const loops = [...this.#stopping].filter(({ name }) => name === this.#nameOf(kind));
    await Promise.all(loops.map((loop) => loop.stop()));
    for (const loop of loops) this.#stopping.delete(loop);
  }

  #nameOf(kind: LoopKind): string {
    return `${this.name}-${kind}`;
  }

  #startLoop(kind: LoopKind, intervalMs: number, turn: (stop: AbortSignal) => Promise<unknown>): Loop {
    const name = this.#nameOf(kind);
    this.log.info(`Processor '${name}' started`);
    const turnOnDatabase = async (stop: AbortSignal) => {
      await unlessAborted(stop, this.#database.setUpIfReplaced());
      await turn(stop);
    };
    return new Loop(name, turnOnDatabase, intervalMs, this.log);
  }
}
