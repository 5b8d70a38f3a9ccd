import { describe, expect, test } from 'vitest';
import { type Backlog, workersWanted } from '../../handlers/scale-out.js';

const limits = { maxThreads: 10, maxWorkers: 10 };

test.each<[what: string, Backlog, wanted: number]>([
  ['nothing waits', { ready: 0, waitedMs: 0, live: 0 }, 0],
  ['one job waits', { ready: 1, waitedMs: 0, live: 0 }, 1],
  ['one job waits, and a worker lives', { ready: 1, waitedMs: 0, live: 1 }, 0],
  ['what one worker does soon waits', { ready: 100, waitedMs: 1000, live: 1 }, 0],
  ['twice as much waits', { ready: 200, waitedMs: 1000, live: 1 }, 1],
  ['much waits', { ready: 100_000, waitedMs: 1000, live: 3 }, 7],
  ['much waits, and all that may live do', { ready: 100_000, waitedMs: 1000, live: 10 }, 0],
  ['more live than may', { ready: 100_000, waitedMs: 1000, live: 12 }, 0],
  ['few jobs wait, but for long', { ready: 50, waitedMs: 60_000, live: 2 }, 3],
])('when %s, so many workers are started', (_, backlog, wanted) => {
  expect(workersWanted(backlog, limits)).toBe(wanted);
});

/** A load: jobs of one length, added at some seconds. */
interface Load {
  readonly adds: readonly (readonly [second: number, jobs: number])[];
  readonly jobSeconds: number;
  /** One job in so many kills its worker, once. */
  readonly poisonEvery?: number;
}

interface Job {
  readonly added: number;
  /** What is left to do. */
  seconds: number;
  isPoison: boolean;
}

/** What waits, first come, first served: `shift` of an array as long moves all that is left, each time. */
class Queue {
  readonly #jobs: Job[] = [];
  #taken = 0;

  get length(): number {
    return this.#jobs.length - this.#taken;
  }

  get first(): Job | undefined {
    return this.#jobs[this.#taken];
  }

  push(job: Job): void {
    this.#jobs.push(job);
  }

  take(): Job | undefined {
    const { first } = this;
    if (first) this.#taken += 1;
    return first;
  }
}

interface Worker {
  readonly startsAt: number;
  readonly endsAt: number;
  running: Job[];
  hasClaimed: boolean;
  killedAt?: number;
}

/** Of a cold start. */
const START_SECONDS = 2;
/** Between EventBridge's ticks. */
const TICK_SECONDS = 60;
/** That a worker has, its margin aside. */
const WORKER_SECONDS = 290;
/** From a kill until its jobs are found. */
const LEASE_SECONDS = 30;

/**
 * A model of a deployment, second by second. The tick of the minute starts one worker and those that `workersWanted` asks
 * for; so does an add. A worker takes a moment to start, ends at once when enough live, runs jobs until none is left or
 * its time is over, and then starts another if jobs wait.
 */
function simulate({ adds, jobSeconds, poisonEvery = 0 }: Load): { seconds: number; invocations: number } {
  const queue = new Queue();
  let workers: Worker[] = [];
  let invocations = 0;
  let added = 0;
  const last = Math.max(...adds.map(([second]) => second));

  const liveCount = () => workers.filter(({ hasClaimed }) => hasClaimed).length;
  const start = (now: number, count: number) => {
    invocations += count;
    for (let n = 0; n < count; n += 1) {
      const startsAt = now + START_SECONDS;
      workers.push({ startsAt, endsAt: startsAt + WORKER_SECONDS, running: [], hasClaimed: false });
    }
  };
  const wanted = (now: number) => {
    const waitedMs = (now - (queue.first?.added ?? now)) * 1000;
    return workersWanted({ ready: queue.length, waitedMs, live: liveCount() }, limits);
  };

  for (let now = 0; now < 86_400; now += 1) {
    for (const [, jobs] of adds.filter(([second]) => second === now)) {
      for (let n = 0; n < jobs; n += 1) {
        added += 1;
        queue.push({
          added: now,
          seconds: jobSeconds,
          isPoison: poisonEvery > 0 && added % poisonEvery === 0,
        });
      }
      start(now, wanted(now));
    }
    if (now > 0 && now % TICK_SECONDS === 0) start(now, 1 + wanted(now));
    workers = workers.filter((worker) => isStillThere(worker, now));
    if (now >= last && queue.length === 0 && workers.every(({ running }) => running.length === 0))
      return { seconds: now - last, invocations };
  }
  throw new Error('Not done within a day.');

  function isStillThere(worker: Worker, now: number): boolean {
    if (worker.startsAt > now) return true;
    if (worker.killedAt !== undefined) return isStillMissed(worker, now);
    if (!worker.hasClaimed && liveCount() >= limits.maxWorkers) return false;
    work(worker, now);
    if (worker.running.length > 0 || (now < worker.endsAt && queue.length > 0)) return true;
    if (worker.hasClaimed && queue.length > 0) start(now, 1);
    return false;
  }

  /** A second of each thread: one long job, or as many short ones as fit. */
  function work(worker: Worker, now: number): void {
    const busy: Job[] = [];
    for (let thread = 0; thread < limits.maxThreads; thread += 1) {
      let job = worker.running[thread];
      for (let left = 1; left > 1e-9; ) {
        job ??= now < worker.endsAt ? queue.take() : undefined;
        if (job === undefined) break;
        worker.hasClaimed = true;
        if (job.isPoison) worker.killedAt = now;
        const spent = Math.min(left, job.seconds);
        job.seconds -= spent;
        left -= spent;
        if (job.seconds <= 1e-9 && !job.isPoison) job = undefined;
        else if (job.isPoison) break;
      }
      if (job !== undefined) busy.push(job);
    }
    worker.running = busy;
  }

  function isStillMissed(worker: Worker, now: number): boolean {
    if (now - (worker.killedAt ?? now) < LEASE_SECONDS) return true;
    for (const job of worker.running) queue.push({ ...job, seconds: jobSeconds, isPoison: false });
    return false;
  }
}

/** As if all workers there may be ran from the first second on. */
function idealSeconds({ adds, jobSeconds }: Load): number {
  const jobs = adds.reduce((sum, [, count]) => sum + count, 0);
  const threads = limits.maxThreads * limits.maxWorkers;
  return Math.ceil(jobs / threads) * jobSeconds;
}

describe('a model of a deployment drains', () => {
  test.each<[what: string, Load, most: { seconds: number; invocations: number }]>([
    ['one job', { adds: [[0, 1]], jobSeconds: 0.1 }, { seconds: 3, invocations: 1 }],
    [
      'a steady load with one worker a minute',
      { adds: Array.from({ length: 600 }, (_, n) => [n, 5] as const), jobSeconds: 0.1 },
      { seconds: 5, invocations: 700 },
    ],
    ['a burst of 100,000', { adds: [[0, 100_000]], jobSeconds: 0.1 }, { seconds: 120, invocations: 25 }],
    ['50 jobs of 4 minutes', { adds: [[0, 50]], jobSeconds: 240 }, { seconds: 340, invocations: 15 }],
    ['1,000 jobs of a minute', { adds: [[0, 1000]], jobSeconds: 60 }, { seconds: 750, invocations: 45 }],
    [
      'a burst with poison',
      { adds: [[0, 20_000]], jobSeconds: 0.1, poisonEvery: 2000 },
      { seconds: 150, invocations: 40 },
    ],
  ])('%s', (what, load, most) => {
    const { seconds, invocations } = simulate(load);
    console.log(`${what}: ${seconds} s (ideal ${idealSeconds(load)} s), ${invocations} invocations`);
    expect(seconds).toBeLessThanOrEqual(most.seconds);
    expect(invocations).toBeLessThanOrEqual(most.invocations);
  });
});
