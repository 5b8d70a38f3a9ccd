import { vi } from 'vitest';

/** Long enough for a busy machine. A condition that comes true ends the wait at once. */
const PATIENCE_MS = 100_000;

/** Waits until `check` does not throw, and returns its result. Throws its last error when the time is up. */
export function eventually<Result>(
  check: () => Result | Promise<Result>,
  patienceMs = PATIENCE_MS,
): Promise<Result> {
  return vi.waitFor(check, { timeout: patienceMs, interval: 20 });
}
