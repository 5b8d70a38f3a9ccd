import { z } from 'zod';
import type { AddJobOptions, JobToAdd } from '../../src/index.js';
import { Random } from './random.js';

/** The fates of jobs. See `child/chaos-job.ts`. */
export const fates = [
  'return',
  'sleep',
  'linger',
  'progress',
  'throw',
  'throw once',
  'remote exception',
  'retry after',
  'snooze once',
  'reject',
  'hang',
  'hang deaf',
  'return late',
  'block',
  'block for long',
  'exit',
  'kill',
  'cancel other',
  'cancel itself',
] as const;
export type Fate = (typeof fates)[number];

/** The fates of jobs that run in their own thread. See `child/chaos-job.subprocess.ts`. */
export const threadFates = [
  'return',
  'sleep',
  'progress',
  'throw',
  'throw once',
  'remote exception',
  'retry after',
  'snooze once',
  'hang',
  'hang deaf',
  'block',
  'block for long',
  'exit',
] as const satisfies readonly Fate[];
export type ThreadFate = (typeof threadFates)[number];

export function isThreadFate(fate: Fate): fate is ThreadFate {
  return threadFates.some((threadFate) => threadFate === fate);
}

/**
 * The suite's job names. Jobs of the first run in the worker's thread, jobs of the second in their own, jobs of the third
 * in the worker's thread and in strict order, jobs of the fourth there too, some in a call, jobs of the fifth there in
 * steps, jobs of the sixth there behind a circuit breaker, and jobs of the seventh there after children of the fourth kind.
 */
export const jobNames = {
  worker: 'chaos',
  thread: 'chaos-in-a-thread',
  ordered: 'chaos-in-order',
  batched: 'chaos-in-batches',
  stepped: 'chaos-in-steps',
  guarded: 'chaos-behind-a-breaker',
  parent: 'chaos-with-children',
} as const;

/** The input of every job of the suite. */
export const chaosInput = z.object({
  n: z.int(),
  fate: z.enum(fates),
  /** The time in milliseconds that the job sleeps or blocks. */
  ms: z.int().default(0),
  /** The id of the job to cancel. */
  victim: z.string().optional(),
  /** Only a few jobs of a group run at a time. */
  group: z.int(),
  /** The place of the job in its burst. */
  at: z.int().default(0),
});

/** How many jobs of a group may run at a time, and how many jobs in all, of those that run in the worker's thread. */
export const limits = { ofGroup: 2, ofAll: 8 } as const;

/** How many jobs with steps start in a period. Each time that a job goes on, it starts. */
export const rate = { limit: 2, periodMs: 1000, burst: 1 } as const;

const GROUPS = 8;
export type ChaosInput = z.input<typeof chaosInput>;
export type ParsedInput = z.output<typeof chaosInput>;

/** A job that the producer adds. */
export interface PlannedJob {
  readonly jobName: string;
  readonly input: ChaosInput;
  readonly options: AddJobOptions;
  /** Whether the job is added again with the same input, and then with another input, which must be refused. */
  readonly again: boolean;
  /** Whether the job is cancelled at once. */
  readonly cancel: boolean;
}

const weights: readonly (readonly [Fate, number])[] = [
  ['return', 30],
  ['sleep', 15],
  ['linger', 20],
  ['progress', 5],
  ['throw', 4],
  ['throw once', 6],
  ['remote exception', 3],
  ['retry after', 4],
  ['snooze once', 5],
  ['reject', 2],
  ['hang', 2],
  ['hang deaf', 2],
  ['return late', 2],
  ['block', 3],
  ['block for long', 1.5],
  ['exit', 1.5],
  ['kill', 1.5],
  ['cancel other', 6],
  ['cancel itself', 2],
];

/** Returns the id of the nth job of a run, if the job has a given id. */
function givenId(seed: number, n: number): string {
  return `${seed}-${n}`;
}

/** Returns the nth job of a run, the same for the same seed. */
export function planJob(seed: number, n: number): PlannedJob {
  const random = new Random(seed * 1_000_003 + n);
  const fate = random.weighted(weights);
  const isInThread = isThreadFate(fate) && random.chance(0.25);
  const again = random.chance(0.1);
  const cancel = random.chance(0.06);
  const isNamed = again || cancel || random.chance(0.6);
  const isOrdered = !isInThread && random.chance(0.25);
  const isBatched = !isInThread && !isOrdered && random.chance(0.25);
  const isStepped = !isInThread && !isOrdered && !isBatched && random.chance(0.3);
  const isGuarded = !isInThread && !isOrdered && !isBatched && !isStepped && random.chance(0.4);
  const isParent = !isInThread && !isOrdered && !isBatched && !isStepped && !isGuarded && random.chance(0.3);
  const jobName = nameOf({ isInThread, isOrdered, isBatched, isStepped, isGuarded, isParent });
  return {
    jobName,
    input: {
      n,
      fate,
      ms: duration(fate, random),
      group: n % GROUPS,
      ...(fate === 'cancel other' && { victim: givenId(seed, n - random.int(0, 20)) }),
    },
    options: {
      maxRetries: random.int(1, 3),
      ...(!isOrdered && { priority: random.int(0, 2) }),
      ...(isNamed && { id: givenId(seed, n) }),
      ...(!isNamed && random.chance(0.3) && { uniqueKey: `key-${random.int(0, 4)}` }),
      ...(!isOrdered && when(cancel, random)),
    },
    again,
    cancel,
  };
}

interface Where {
  readonly isInThread: boolean;
  readonly isOrdered: boolean;
  readonly isBatched: boolean;
  readonly isStepped?: boolean;
  readonly isGuarded?: boolean;
  readonly isParent?: boolean;
}

function nameOf(where: Where): string {
  if (where.isInThread) return jobNames.thread;
  if (where.isBatched) return jobNames.batched;
  if (where.isStepped) return jobNames.stepped;
  if (where.isGuarded) return jobNames.guarded;
  if (where.isParent) return jobNames.parent;
  return where.isOrdered ? jobNames.ordered : jobNames.worker;
}

const childFates: readonly (readonly [Fate, number])[] = [
  ['return', 10],
  ['sleep', 5],
  ['throw', 1],
  ['throw once', 2],
  ['kill', 0.2],
];

const CHILDREN = 4;

/** Returns the inputs of the children of a job, the same in each of its attempts. */
export function planChildren({ n, group }: Pick<ParsedInput, 'n' | 'group'>): ChaosInput[] {
  const random = new Random(n);
  return Array.from({ length: CHILDREN }, (_, at) => ({
    n,
    fate: random.weighted(childFates),
    ms: random.int(20, 300),
    group,
    at,
  }));
}

/** A batch that is added at once, and the job after it. */
export interface PlannedBatch {
  readonly id: string;
  readonly jobs: readonly JobToAdd[];
  readonly then: JobToAdd;
  /** Whether it is cancelled at once. */
  readonly cancel: boolean;
}

/** Returns the batch after the nth job of a run. */
export function planBatch(seed: number, n: number): PlannedBatch {
  const group = n % GROUPS;
  const jobs = planChildren({ n, group }).map((input) => ({ name: jobNames.batched, input }));
  const then = { name: jobNames.worker, input: { n, fate: 'return', group } satisfies ChaosInput };
  return { id: `${givenId(seed, n)}-batch`, jobs, then, cancel: n % 4 === 0 };
}

const BURST = 80;

/** Returns jobs that are added together after the nth, and end at once. Some of those in strict order fail once. */
export function planBurst(seed: number, n: number): JobToAdd[] {
  return Array.from({ length: BURST }, (_, at) => {
    const isOrdered = at % 4 === 0;
    return {
      name: nameOf({ isInThread: false, isOrdered, isBatched: at % 4 === 1 }),
      input: {
        n,
        fate: isOrdered && at % 3 === 0 ? 'throw once' : 'return',
        group: at % GROUPS,
        at,
      } satisfies ChaosInput,
      options: { id: `${givenId(seed, n)}-${at}`, ...(!isOrdered && { priority: at % 3 }) },
    };
  });
}

/** Returns a duration. A lingering attempt still runs when its lease is lost, and then tries to settle the job. */
function duration(fate: Fate, random: Random): number {
  if (fate === 'linger') return random.int(600, 1100);
  if (fate === 'block') return random.int(350, 700);
  if (fate === 'block for long') return random.int(1200, 2200);
  return random.int(20, 600);
}

/** Returns when a job runs: mostly at once, sometimes a little later, and sometimes too late to run at all. */
function when(cancel: boolean, random: Random): AddJobOptions {
  if (cancel) return { delay: random.pick([0, 500, 1500]) };
  return random.weighted<AddJobOptions>([
    [{}, 80],
    [{ delay: 700 }, 12],
    [{ delay: '1h' }, 3],
  ]);
}
