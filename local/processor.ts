import { z } from 'zod';
import { timerDurationSchema } from '../src/duration.js';
import {
  type Duration,
  type JobsByName,
  RemoteProcessor,
  type RemoteProcessorOptions,
} from '../src/index.js';
import { openCollections } from '../src/mongo/collections.js';
import { validateNow } from '../src/validate.js';
import { withStopSignal } from '../src/worker/stop-signal.js';
import { unlessAborted } from '../src/worker/unless-aborted.js';
import { Loop } from './loop.js';
import { ReplacedDatabase } from './replaced-database.js';

export interface LocalProcessorOptions<Jobs extends JobsByName = JobsByName>
  extends RemoteProcessorOptions<Jobs> {
  /** How often the worker looks for due jobs. Jobs that this object queues are found at once. Default 1 s. */
  readonly pollInterval?: Duration;
  /** How often the scheduler looks for due items. Default 1 s; on AWS it is a minute. */
  readonly scheduleInterval?: Duration;
  /**
   * Called by the loops when the database was replaced by an empty one, as one that keeps nothing on disk is when it starts
   * again: to make indexes, job factories and declared scheduler items once more. Default: the loops only say so.
   */
  readonly setUp?: (processor: LocalProcessor) => Promise<void>;
}

const intervalsSchema = z.object({
  pollInterval: timerDurationSchema.default(1000),
  scheduleInterval: timerDurationSchema.default(1000),
});

type LoopKind = 'worker' | 'scheduler';

/**
 * A RemoteProcessor with the loops that stand for EventBridge and Lambda on one machine. Nothing runs until a
 * loop is started.
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
  /** Told to stop, and not done yet. */
  readonly #stopping = new Set<Loop>();

  constructor({ pollInterval, scheduleInterval, setUp, ...options }: LocalProcessorOptions<Jobs>) {
    super(options);
    const collections = openCollections(this.db, this.collectionPrefix);
    this.#database = new ReplacedDatabase(collections, this.log, setUp && (() => setUp(this)));
    const intervals = validateNow(
      intervalsSchema,
      { pollInterval, scheduleInterval },
      'The configuration of LocalProcessor',
    );
    // A turn that is under way listens for itself.
    this.on('jobsReady', () => this.#worker?.nudge());
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

  /** The names of the loops that run, those that are about to stop included. */
  loops(): string[] {
    return [this.#scheduler, this.#worker, ...this.#stopping].flatMap((loop) => (loop ? [loop.name] : []));
  }

  /** Starts processing jobs in the background; does nothing when it is started already. */
  startProcessor(): void {
    this.#worker ??= this.#startLoop('worker', this.#pollMs, (signal) =>
      this.drain({ signal, pollInterval: this.#pollMs, linger: this.#pollMs }),
    );
  }

  /**
   * Stops processing: claims no more, tells what runs to stop, and gives back what does not end in 5 s. Resolves
   * when nothing is left in its hands; after 10 s at the latest, when the database does not answer: then what it held is
   * recovered once its leases have expired.
   */
  async stopProcessor(): Promise<void> {
    if (this.#worker) this.#stopping.add(this.#worker);
    this.#worker = undefined;
    await this.#endOfLoops('worker');
  }

  /** Starts turning due scheduler items into jobs; does nothing when it is started already. */
  startScheduler(): void {
    this.#scheduler ??= this.#startLoop('scheduler', this.#scheduleMs, async (signal) => {
      const schedule = () => this.scheduleDueItems({ ahead: 2 * this.#scheduleMs });
      await withStopSignal({ signal }, ({ cutOff }) => unlessAborted(cutOff, schedule()));
    });
  }

  /**
   * Stops the scheduler, and resolves when the turn that is under way has ended; after 5 s it is left behind, for the
   * database may not answer. What it goes on with is done as a whole or not at all.
   */
  async stopScheduler(): Promise<void> {
    if (this.#scheduler) this.#stopping.add(this.#scheduler);
    this.#scheduler = undefined;
    await this.#endOfLoops('scheduler');
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
