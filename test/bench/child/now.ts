/** Milliseconds since the epoch: the same clock for all processes of a machine, finer than a millisecond. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
