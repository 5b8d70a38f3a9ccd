import { connectedCollections } from '../../../src/collections/connected-collections.js';
import type { Logger, RemoteProcessor, Verdict, WorkerPage } from '../../../src/index.js';
import { countUnfinished, type UnfinishedCounts } from '../../../src/job/count-jobs.js';
import { withinTime } from '../../../src/mongo/within-time.js';
import { rememberedFor } from '../../remembered-for.js';

/** How long what was read is shown. A verdict costs about 11 commands, and every page shows it. */
const REMEMBERED_MS = 10_000;

/** How long a page waits for the verdict. */
const MAX_WAIT_MS = 3_000;

/** Jobs of a status are counted up to this number. Nobody needs a larger exact one, and pages read it again and again. */
const MAX_COUNTED = 1_000;

/** Number of workers shown. */
const MAX_WORKERS = 50;

/** Keeps what pages show of the whole deployment, whoever looks at them. */
export class LatestState {
  #read = this.#remembered();

  constructor(
    private readonly processor: RemoteProcessor,
    private readonly log: Logger,
  ) {}

  /** Returns the verdict, or undefined if it could not be made. A page is shown without it then. */
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

  /** Returns the first workers at work. @throws the driver's errors */
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
