import { onTestFinished, vi } from 'vitest';

const now = performance.now.bind(performance);

/** Advances this process's clock by `ms` milliseconds until the test ends. */
export function passTime(ms: number): void {
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ms);
  onTestFinished(() => clock.mockRestore());
}

/**
 * Lets time pass a hundred times slower for this process until the test ends, so that a job does not seem slow when it
 * waits for a CPU.
 *
 * @returns a function that lets time pass at its own speed again
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
