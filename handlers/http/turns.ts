import { Slots } from '../../src/slots.js';

/** Limits how many large answers are made at once, since a server has memory for few. The others wait their turn. */
const turns = new Slots(2);

/** Never fires. A client that has gone is answered all the same, since its turn is soon over. */
const { signal: never } = new AbortController();

/** Reads a large answer in turn. The turn ends with the work, so none is held while a request waits for something else. */
export function inTurn<Result>(read: () => Promise<Result>): Promise<Result> {
  return turns.use(never, read);
}
