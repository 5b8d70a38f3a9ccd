import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from '../contenders/contender.js';
import type { Runs } from './runs.js';
import type { FullSetting } from './setting.js';

/** What a task has in its hands. */
export interface Desk {
  readonly queue: Queue;
  readonly runs: Runs;
  readonly setting: FullSetting;
  /** From then on it is measured. */
  begin(): void;
  /** Resolves when all jobs have run, by this process or another. */
  toldToStop(): Promise<void>;
}

/** How often a process that works tells how many jobs it ran. */
export const TELL_MS = 20;

/** A worker that was just started looks around first. */
const SETTLE_MS = 1200;

/** The tasks; they resolve to the samples of what they measured, if they took any. */
export const tasks: Record<FullSetting['task'], (desk: Desk) => Promise<number[]>> = {
  /** Makes the indexes, and one job by which many can be made. */
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

/** Long enough to be idle again, and never in step with a worker that looks for jobs every second. */
function pause(n: number): number {
  return 100 + ((n * 379) % 400);
}
