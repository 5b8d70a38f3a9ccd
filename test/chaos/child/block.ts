/**
 * Keeps this thread from everything else, as a loop would, without the CPU time of a loop.
 *
 * @param ms for how long, in milliseconds; by default until the thread ends
 */
export function block(ms = Number.POSITIVE_INFINITY): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms);
}
