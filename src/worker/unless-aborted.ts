/**
 * What the promise gives; undefined if the signal fires first, or has fired. Why not `Promise.race`: against a promise that lives as
 * long as the invocation, it would keep every result alive for as long.
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
