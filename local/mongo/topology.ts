import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Long, ObjectId } from 'bson';
import { isDoc } from './bson/type-of.js';

/** With these a server says that it is no longer what it was: not the primary, or about to shut down. */
const STATE_CHANGES = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);

/** Whether an error, or a write concern error, tells drivers to look at the server anew. */
export function tellsOfChange(code: unknown): boolean {
  return STATE_CHANGES.has(Number(code));
}

/** The topology version of a `hello`, as MongoDB has it. */
export interface TopologyVersion {
  /** Tells this server from one that had the same port before. */
  readonly processId: ObjectId;
  readonly counter: Long;
}

/**
 * Which version of the server's description is in force. The description itself is always the same; it counts as changed
 * when a fail point had the server say that it is not the primary, so that the driver that was told looks at once.
 */
export class Topology {
  readonly #processId = new ObjectId();
  #counter = 0;
  #change = nextChange();

  get version(): TopologyVersion {
    return { processId: this.#processId, counter: Long.fromNumber(this.#counter) };
  }

  /** Answers those that await a change. */
  change(): void {
    this.#counter += 1;
    this.#change.abort();
    this.#change = nextChange();
  }

  /**
   * The server was not the primary, and is again: two changes. Returns the version between them, for an error that tells of
   * it; a driver may await the one after that, which must be there then.
   */
  stepDownAndUp(): TopologyVersion {
    this.change();
    const { version } = this;
    this.change();
    return version;
  }

  /** Resolves when the version is another than this one, or after so many milliseconds. */
  async changeSince(known: unknown, ms: number): Promise<void> {
    if (!this.#isInForce(known)) return;
    const { signal } = this.#change;
    await sleep(ms, undefined, { ref: false, signal }).catch(() => {}); // It is rejected by a change alone.
  }

  #isInForce(known: unknown): boolean {
    if (!isDoc(known)) return false;
    const { processId, counter } = this.version;
    return String(known.processId) === String(processId) && String(known.counter) === String(counter);
  }
}

/** Aborted by the change. As many may wait for it as there are drivers. */
function nextChange(): AbortController {
  const change = new AbortController();
  setMaxListeners(0, change.signal);
  return change;
}
