import {
  connectedCollections,
  type WithCollections,
} from '../../../src/collections/connected-collections.js';
import { endSession } from '../../../src/sign-in/end-session.js';
import { isSessionEnded } from '../../../src/sign-in/is-session-ended.js';
import type { Session } from './session.js';

/** How long a read is trusted, in milliseconds. A sign-out in another process is noticed after at most this time. */
const READ_AGAIN_MS = 5_000;

/** Maximum number of sessions remembered. When there are more, all are forgotten and looked up again. */
const MAX_KNOWN = 1_000;

/** The sessions whose users signed out. Costs a small read per session in use, at most every 5 seconds. */
export class EndedSessions {
  /** Whether each known session has ended, and until when that is trusted, by `performance.now()`. */
  readonly #known = new Map<string, { readonly isEnded: boolean; readonly until: number }>();

  constructor(private readonly processor: WithCollections) {}

  /** Returns whether a session has ended. @throws errors of the driver, so that nobody is admitted unchecked */
  async has({ id }: Session): Promise<boolean> {
    const known = this.#known.get(id);
    if (known && known.until > performance.now()) return known.isEnded;
    const isEnded = await isSessionEnded(await this.#collection(), id);
    this.#learn(id, isEnded);
    return isEnded;
  }

  /** Ends a session, for all copies of its cookie. @throws errors of the driver */
  async add({ id, expires }: Session): Promise<void> {
    await endSession(await this.#collection(), id, expires);
    this.#learn(id, true);
  }

  async #collection() {
    return (await this.processor[connectedCollections]()).endedSessions;
  }

  #learn(id: string, isEnded: boolean): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const until = isEnded ? Number.POSITIVE_INFINITY : performance.now() + READ_AGAIN_MS;
    this.#known.set(id, { isEnded, until });
  }
}
