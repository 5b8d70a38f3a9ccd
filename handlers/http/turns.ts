import { Slots } from '../../src/slots.js';

/** Limits how many large answers are made at once, since they need much memory. Others wait their turn. */
const turns = new Slots(2);

/** A signal that never fires. Clients that have disconnected keep their turn, which is soon over. */
const { signal: never } = new AbortController();

/**
 * Reads a large answer when it is its turn. The turn ends with the read, so none is held while a request waits for
 * something else.
 */
export function inTurn<Result>(read: () => Promise<Result>): Promise<Result> {
  return turns.use(never, read);
}
