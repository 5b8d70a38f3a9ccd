import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Long, ObjectId } from 'bson';
import { isDoc } from './bson/type-of.js';

/** Errors by which a server says that it is no longer primary, or about to shut down. */
const STATE_CHANGES = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);

/** Returns whether an error or a write concern error tells drivers to examine the server again. */
export function tellsOfChange(code: unknown): boolean {
  return STATE_CHANGES.has(Number(code));
}

/** The topology version in a `hello`, in MongoDB's form. */
export interface TopologyVersion {
  /** Distinguishes this server from an earlier one on the same port. */
  readonly processId: ObjectId;
  readonly counter: Long;
}

/**
 * The topology version that `hello` reports. The server's description never really changes. So the version goes up at one
 * occasion: when a fail point makes the server claim that it is not primary. A driver that gets this error asks again at
 * once.
 */
export class Topology {
  readonly #processId = new ObjectId();
  #counter = 0;
  #change = nextChange();

  get version(): TopologyVersion {
    return { processId: this.#processId, counter: Long.fromNumber(this.#counter) };
  }

  /** Changes the version, and answers every client that awaits a change. */
  change(): void {
    this.#counter += 1;
    this.#change.abort();
    this.#change = nextChange();
  }

  /**
   * Makes two changes: the server stops being primary, and becomes primary again. Returns the version after the first
   * change, for the error that reports it. A driver that then awaits the second change must find that it has happened.
   */
  stepDownAndUp(): TopologyVersion {
    this.change();
    const { version } = this;
    this.change();
    return version;
  }

  /** Resolves when the version differs from `known`, or after `ms` milliseconds. */
  async changeSince(known: unknown, ms: number): Promise<void> {
    if (!this.#isInForce(known)) return;
    const { signal } = this.#change;
    await sleep(ms, undefined, { ref: false, signal }).catch(() => {}); // Only a change rejects it.
  }

  #isInForce(known: unknown): boolean {
    if (!isDoc(known)) return false;
    const { processId, counter } = this.version;
    return String(known.processId) === String(processId) && String(known.counter) === String(counter);
  }
}

/** Returns a controller that the next change aborts. Any number of drivers may listen. */
function nextChange(): AbortController {
  const change = new AbortController();
  setMaxListeners(0, change.signal);
  return change;
}
