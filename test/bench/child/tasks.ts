import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from '../contenders/contender.js';
import type { Runs } from './runs.js';
import type { FullSetting } from './setting.js';

/** The tools of a task. */
export interface Desk {
  readonly queue: Queue;
  readonly runs: Runs;
  readonly setting: FullSetting;
  /** Starts the measurement. */
  begin(): void;
  /** Resolves when all jobs have run, by this process or another. */
  toldToStop(): Promise<void>;
}

/** The time between two reports of how many jobs a worker has run. */
export const TELL_MS = 20;

/** The time that a new worker needs to settle. */
const SETTLE_MS = 1200;

/** The tasks. Each resolves to the samples that it took, if any. */
export const tasks: Record<FullSetting['task'], (desk: Desk) => Promise<number[]>> = {
  /** Makes the indexes, and one job to copy. */
  async prepare({ queue, begin }) {
    begin();
    await queue.ensureIndexes();
    await queue.addOne(0);
    return [];
  },

  async 'add one'({ queue, begin, setting }) {
    begin();
    for (let n = 0; n < setting.count; n += 1) await queue.addOne(n);
    return [];
  },

  async 'add many'({ queue, begin, setting }) {
    begin();
    await queue.addMany(0, setting.count);
    return [];
  },

  async work({ queue, begin, toldToStop }) {
    begin();
    const stop = await queue.work();
    await toldToStop();
    await stop();
    return [];
  },

  async latency({ queue, begin, runs, setting }) {
    const stop = await queue.work();
    await sleep(SETTLE_MS);
    begin();
    const samples: number[] = [];
    for (let n = 0; n < setting.count; n += 1) {
      await sleep(pause(n));
      const started = runs.next();
      const added = performance.now();
      await Promise.all([queue.addOne(n), started]);
      samples.push(performance.now() - added);
    }
    await stop();
    return samples;
  },

  async idle({ queue, begin, setting }) {
    const stop = await queue.work();
    await sleep(SETTLE_MS);
    begin();
    await sleep(setting.count * 1000);
    await stop();
    return [];
  },
};

/**
 * Returns a pause in milliseconds: long enough to be idle again, and never in step with a worker that polls every
 * second.
 */
function pause(n: number): number {
  return 100 + ((n * 379) % 400);
}
