/**
 * Returns the result of the promise, or undefined if the signal fires first or has already fired. With `Promise.race`, a
 * promise as long-lived as the invocation would keep every result alive.
 */
export function unlessAborted<Result>(
  signal: AbortSignal,
  promise: Promise<Result>,
): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = () => resolve(undefined);
    if (signal.aborted) giveUp();
    const stopListening = () => signal.removeEventListener('abort', giveUp);
    signal.addEventListener('abort', giveUp);
    promise.then(resolve, reject).then(stopListening);
  });
}
