import { Slots } from '../../src/slots.js';

/** Limits how many large answers are made at once, since they need much memory. Others wait their turn. */
const turns = new Slots(2);

/**
 * Reads a large answer when its turn comes. The turn ends with the read, so no request holds a turn while it waits for
 * something else. A client that has disconnected keeps its turn, which is soon over.
 */
export function inTurn<Result>(read: () => Promise<Result>): Promise<Result> {
  return turns.use(read);
}
