/** A request was not answered in time, and may still be carried out. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * Rejects if there is no answer in time, since a connection may die silently. Nobody waits for the request any more, but it
 * goes on. So it must do no harm if it is executed late.
 *
 * @throws NoAnswer, and errors of the answer
 */
export async function withinTime<Result>(
  ms: number,
  answer: Promise<Result>,
  who = 'The database',
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeOut = new Promise<never>((_, reject) => {
    const noAnswer = () => reject(new NoAnswer(`${who} did not answer within ${Math.round(ms)} ms.`));
    // Waits one turn longer. Timers run first after the event loop was blocked, and answers that arrived meanwhile are read
    // after them.
    timer = setTimeout(() => setImmediate(noAnswer), ms);
  });
  try {
    return await Promise.race([answer, timeOut]);
  } finally {
    clearTimeout(timer);
  }
}
