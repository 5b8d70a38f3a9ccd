import { connectedCollections } from '../../../src/collections/connected-collections.js';
import type { Logger, RemoteProcessor, Verdict, WorkerPage } from '../../../src/index.js';
import { countUnfinished, type UnfinishedCounts } from '../../../src/job/count-jobs.js';
import { withinTime } from '../../../src/mongo/within-time.js';
import { rememberedFor } from '../../remembered-for.js';

/** How long a read state is shown, in milliseconds. A verdict costs about 11 commands, and every page shows it. */
const REMEMBERED_MS = 10_000;

/** How long a page waits for the verdict, in milliseconds. */
const MAX_WAIT_MS = 3_000;

/**
 * Maximum number up to which jobs of a status are counted. Pages count often, and nobody needs a larger number to be
 * exact.
 */
const MAX_COUNTED = 1_000;

/** Number of workers shown. */
const MAX_WORKERS = 50;

/** Keeps the state of the whole deployment that pages show. All users share it. */
export class LatestState {
  #read = this.#remembered();

  constructor(
    private readonly processor: RemoteProcessor,
    private readonly log: Logger,
  ) {}

  /** Returns the verdict. Undefined if it could not be made. The page is then shown without a verdict. */
  readonly verdict = async (): Promise<Verdict | undefined> => {
    try {
      return await withinTime(MAX_WAIT_MS, this.#read.verdict());
    } catch (error) {
      this.log.warn('The state of the deployment could not be judged', { error: String(error) });
      return undefined;
    }
  };

  /** Counts the jobs of each status except completed ones. @throws the driver's errors */
  counts(): Promise<UnfinishedCounts> {
    return this.#read.counts();
  }

  /** Returns the first of the running workers. @throws the driver's errors */
  workers(): Promise<WorkerPage> {
    return this.#read.workers();
  }

  /** Reads everything anew at the next call, because somebody has changed something. */
  forget(): void {
    this.#read = this.#remembered();
  }

  #remembered() {
    return {
      verdict: rememberedFor(REMEMBERED_MS, () => this.processor.verdict()),
      counts: rememberedFor(REMEMBERED_MS, async () => {
        const { jobs } = await this.processor[connectedCollections]();
        return countUnfinished(jobs, MAX_COUNTED);
      }),
      workers: rememberedFor(REMEMBERED_MS, () => this.processor.workers.list({ limit: MAX_WORKERS })),
    };
  }
}
