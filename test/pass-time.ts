import { onTestFinished, vi } from 'vitest';

const now = performance.now.bind(performance);

/** From now on, until the test ends, this process believes that so much more time has passed than has; in milliseconds. */
export function passTime(ms: number): void {
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ms);
  onTestFinished(() => clock.mockRestore());
}
