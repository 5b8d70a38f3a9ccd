/** What was asked was not answered in time, and may still be done. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * Rejects when there is no answer after so long: a connection may die without a word. What was asked goes on
 * unobserved, so it must do no harm late.
 *
 * @throws NoAnswer, and what the answer is rejected with
 */
export async function withinTime<Result>(
  ms: number,
  answer: Promise<Result>,
  who = 'The database',
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeOut = new Promise<never>((_, reject) => {
    const noAnswer = () => reject(new NoAnswer(`${who} did not answer within ${Math.round(ms)} ms.`));
    // A turn later: what has come while the event loop was held up is read only after its timers.
    timer = setTimeout(() => setImmediate(noAnswer), ms);
  });
  try {
    return await Promise.race([answer, timeOut]);
  } finally {
    clearTimeout(timer);
  }
}
