/** Random calls of people and of several workers under one limit: who may start, and that nobody waits beside a free place. */
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { LocalProcessor } from '../../local/processor.js';
import { type ClaimedJob, defineJob } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

/** Each takes as long as three of the other models. */
const RUNS = Math.ceil(Number(process.env.MODEL_RUNS ?? 3) / 3);

const BY_CODE = 2;

const job = defineJob({
  name: 'limited',
  concurrency: { limit: BY_CODE },
  maxRetries: 1000,
  retryDelay: 0,
  run: async () => {},
});

/** What the model knows. */
interface State {
  readonly held: ClaimedJob[];
  /** Jobs that are not completed. */
  left: number;
  max: number;
  isPaused: boolean;
  /** Lets all processors notice what was set. They go by what they have read for 5 seconds. */
  readonly letNotice: () => void;
}

type Action = (processor: LocalProcessor, state: State, n: number) => Promise<unknown>;

/** Pulls a job, which must succeed exactly if one may start. */
const pull: Action = async (processor, { held, left, max, isPaused }) => {
  const pulled = await processor.pullNextJob();
  const mayStart = held.length < left && held.length < (isPaused ? 0 : max);
  const seen = { held: held.length, left, max, isPaused };
  expect({ ...seen, didStart: pulled !== undefined }).toEqual({ ...seen, didStart: mayStart });
  if (pulled) held.push(pulled);
};

const take = ({ held }: State, n: number) => held.splice(n % Math.max(1, held.length), 1);

const complete: Action = async (processor, state, n) => {
  const [taken] = take(state, n);
  if (!taken) return;
  await processor.completeJob(taken);
  state.left -= 1;
};

const resume: Action = async (processor, state) => {
  await processor.limits.resume(job.name);
  state.isPaused = false;
  state.letNotice();
};

const actions = {
  pull,
  complete,
  resume,
  async add(processor, state, n) {
    await processor.addJobs(Array.from({ length: 1 + (n % 8) }, () => ({ job })));
    state.left += 1 + (n % 8);
  },
  async fail(processor, state, n) {
    const [taken] = take(state, n);
    if (taken) await processor.failJob(taken, new Error('again'));
  },
  async set(processor, state, n) {
    const max = n % 5;
    await processor.limits.set(job.name, { max: max === 0 ? null : max });
    state.max = max === 0 ? BY_CODE : max;
    state.letNotice();
  },
  async pause(processor, state) {
    await processor.limits.pause(job.name);
    state.isPaused = true;
    state.letNotice();
  },
  async look(processor) {
    await database
      .collections()
      .limits.updateMany({ next: { $gt: new Date(0) } }, { $set: { next: new Date(1) } });
    await processor.recoverJobs();
  },
} satisfies Record<string, Action>;

const names = [
  ...(['pull', 'pull', 'pull', 'add', 'complete', 'complete'] as const),
  ...(['fail', 'set', 'set', 'pause', 'resume', 'look'] as const),
] as const;

const step = fc.record({ name: fc.constantFrom(...names), by: fc.nat({ max: 2 }), n: fc.nat({ max: 99 }) });

test('whatever people set, a job starts exactly if it may, in whichever process', async () => {
  const now = performance.now.bind(performance);
  let passed = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + passed);
  onTestFinished(() => clock.mockRestore());
  const letNotice = () => {
    passed += 5_000;
  };
  const run = async (
    steps: readonly { readonly name: keyof typeof actions; readonly by: number; readonly n: number }[],
  ) => {
    const { jobs, limits } = database.collections();
    await Promise.all([jobs.deleteMany({}), limits.deleteMany({})]);
    const processors = [1, 2, 3].map(() => database.processor({ maxThreads: 1 }));
    for (const each of processors) await each.addJobFactory(job);
    const state: State = { held: [], left: 0, max: BY_CODE, isPaused: false, letNotice };
    const one = (by: number) => processors[by] ?? expect.fail();
    for (const { name, by, n } of steps) await actions[name](one(by), state, n);
    await resume(one(0), state, 0);
    for (let n = 0; state.left > 0; n += 1) {
      await pull(one(n % 3), state, n);
      await complete(one(n % 3), state, n);
    }
    expect(await jobs.countDocuments({ status: { $ne: 'completed' } })).toBe(0);
  };
  const steps = fc.array(step, { minLength: 40, maxLength: 120, size: 'max' });
  await fc.assert(fc.asyncProperty(steps, run), { numRuns: RUNS });
});
