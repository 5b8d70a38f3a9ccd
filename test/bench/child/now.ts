/** Returns milliseconds since the epoch, finer than a millisecond. All processes of a machine share this clock. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
