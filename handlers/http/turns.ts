import { Slots } from '../../src/slots.js';

/** Limits how many large answers are made at once, since they need much memory. Others wait their turn. */
const turns = new Slots(2);

/**
 * Reads a large answer when it is its turn. The turn ends with the read, so none is held while a request waits for
 * something else. Clients that have disconnected keep their turn, which is soon over.
 */
export function inTurn<Result>(read: () => Promise<Result>): Promise<Result> {
  return turns.use(read);
}
