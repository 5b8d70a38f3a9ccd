import type { Logger, RemoteProcessor, Verdict } from '../../../src/index.js';
import { withinTime } from '../../../src/mongo/within-time.js';
import { rememberedFor } from '../../remembered-for.js';

/** How long a verdict is shown. It costs about 11 commands, and every page shows it. */
const REMEMBERED_MS = 15_000;

/** How long a page waits for it. */
const MAX_WAIT_MS = 3_000;

/** The verdict that pages show, whoever looks at them. */
export class LatestVerdict {
  #read: () => Promise<Verdict>;

  constructor(
    private readonly processor: RemoteProcessor,
    private readonly log: Logger,
  ) {
    this.#read = this.#remembered();
  }

  /** Returns the verdict, up to 15 s old, or undefined if it could not be made. A page is shown without it then. */
  readonly get = async (): Promise<Verdict | undefined> => {
    try {
      return await withinTime(MAX_WAIT_MS, this.#read());
    } catch (error) {
      this.log.warn('The state of the deployment could not be judged', { error: String(error) });
      return undefined;
    }
  };

  /** Judges anew at the next call, because somebody has changed something. */
  forget(): void {
    this.#read = this.#remembered();
  }

  #remembered(): () => Promise<Verdict> {
    return rememberedFor(REMEMBERED_MS, () => this.processor.verdict());
  }
}
