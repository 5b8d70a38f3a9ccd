import { Slots } from '../../src/subprocess/slots.js';

/** A server may be asked for many large answers at once, and has memory for few: the others wait their turn. */
const turns = new Slots(2);

/** Who has gone meanwhile is answered all the same: his turn is soon over. */
const { signal: never } = new AbortController();

/** Reads what may be large. The turn ends with the work: none is held while a request waits for something else. */
export function inTurn<Result>(read: () => Promise<Result>): Promise<Result> {
  return turns.use(never, read);
}
