import { onTestFinished, vi } from 'vitest';

const now = performance.now.bind(performance);

/** Advances this process's clock by so many milliseconds until the test ends. */
export function passTime(ms: number): void {
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ms);
  onTestFinished(() => clock.mockRestore());
}

/**
 * From now on, until it is told otherwise or the test ends, time passes for this process a hundred times slower: no wait
 * for a CPU makes a job a slow one.
 *
 * @returns what lets time pass again as it does
 */
export function slowTime(): () => void {
  const began = now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => began + (now() - began) / 100);
  const end = () => {
    clock.mockRestore();
  };
  onTestFinished(end);
  return end;
}
