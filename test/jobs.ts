import { z } from 'zod';
import { defineJob, RemoteException } from '../src/index.js';

/** Returns its input. */
export const echo = defineJob({
  name: 'echo',
  input: z.record(z.string(), z.unknown()),
  run: async ({ input }) => input,
});

/** Takes and returns anything. */
export const anything = defineJob({ name: 'anything', input: z.unknown(), run: async ({ input }) => input });

/** Fails for good. */
export const failing = defineJob({
  name: 'failing',
  run: async () => {
    throw new RemoteException('It is hopeless.');
  },
});

/** Fails, but is worth another try. */
export const flaky = defineJob({
  name: 'flaky',
  run: async () => {
    throw new Error('Try again.');
  },
});

/** A gate that jobs wait at. It counts arrivals, and lets jobs through when it is opened. */
export class Gate {
  arrived = 0;
  #open: () => void = () => {};
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  open(): void {
    this.#open();
  }

  /** Waits for the gate to open. Rejects with the signal's reason if that fires first. */
  async pass(signal: AbortSignal): Promise<void> {
    this.arrived += 1;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    await Promise.race([this.#opened, aborted]);
  }
}

/** Returns a job that waits at its own gate. */
export function gatedJob(name = 'gated') {
  const gate = new Gate();
  const factory = defineJob({
    name,
    input: z.unknown(),
    run: async ({ input, signal }) => {
      await gate.pass(signal);
      return input ?? null;
    },
  });
  return { gate, factory };
}
