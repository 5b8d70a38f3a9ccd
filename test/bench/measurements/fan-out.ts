import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { z } from 'zod';
import { LocalProcessor } from '../../../local/processor.js';
import { defineJob, silentLogger } from '../../../src/index.js';
import { attempt } from '../attempt.js';
import type { Bench, Measurement } from '../bench.js';
import { OURS } from '../contenders/contender.js';
import { type Counted, withClient } from './with-client.js';

const FULL = { children: 10_000, batches: 200 };
const QUICK = { children: 1_000, batches: 20 };

type Size = typeof FULL;

const WORKERS = 4;
const THREADS = 10;
const JOB_MS = 1;
const JOBS_OF_A_BATCH = 20;

/** Measures children of a job beside the same jobs without a parent, and how soon the job after a batch begins. */
export const fanOut: Measurement = {
  name: 'fan-out',
  about: 'children of 1 ms beside the same jobs without a parent, and how soon the job after a batch begins',
  async run(bench) {
    const size = bench.isQuick ? QUICK : FULL;
    await attempt(bench, OURS, 'children', () => measureChildren(bench, size));
    await attempt(bench, OURS, 'the job after a batch', () => measureThen(bench, size));
  },
};

function processorsOn(db: Db): LocalProcessor[] {
  const options = { db, maxThreads: THREADS, log: silentLogger };
  return Array.from({ length: WORKERS }, () => new LocalProcessor(options));
}

const child = defineJob({ name: 'child', input: z.number(), run: () => sleep(JOB_MS) });

async function measureChildren(bench: Bench, { children }: Size): Promise<void> {
  const inputs = Array.from({ length: children }, (_, n) => n);
  const under = `${children.toLocaleString('en')} jobs of ${JOB_MS} ms, ${WORKERS} workers`;
  const alone = await drained(bench, (processor) =>
    processor.addJobs(inputs.map((input) => ({ job: child, input }))),
  );
  const parent = defineJob({
    name: 'parent',
    run: ({ step }) => step.fanOut('all', child, inputs).then(() => {}),
  });
  const below = await drained(bench, async (processor) => {
    await processor.addJobFactory(parent);
    await processor.addJob(parent);
    await processor.processNextJob();
  });
  const add = (name: string, value: number, decimals: number) =>
    bench.results.add({ under, name, decimals }, OURS, value);
  add('seconds without a parent', alone.ms / 1000, 2);
  add('seconds as children, over seconds without a parent', below.ms / alone.ms, 2);
  add('more commands per child than without a parent', (below.commands - alone.commands) / children, 4);
}

/** Adds jobs, and measures how they are worked off. */
async function drained(
  bench: Bench,
  add: (processor: LocalProcessor) => Promise<unknown>,
): Promise<Awaited<ReturnType<Counted['counting']>>> {
  const figures: Awaited<ReturnType<Counted['counting']>>[] = [];
  await withClient(bench, async ({ db, counting }) => {
    const processors = processorsOn(db);
    const [first] = processors;
    if (!first) return;
    await first.ensureIndexes();
    for (const processor of processors) await processor.addJobFactory(child);
    await add(first);
    figures.push(await counting(() => Promise.all(processors.map((processor) => processor.drain()))));
  });
  const [figure] = figures;
  if (!figure) throw new Error('Nothing was measured.');
  return figure;
}

async function measureThen(bench: Bench, { batches }: Size): Promise<void> {
  const under = `Batches of ${JOBS_OF_A_BATCH} jobs of ${JOB_MS} ms, ${WORKERS} workers`;
  let lastEnd = 0;
  const waited: number[] = [];
  let onThen = () => {};
  const one = defineJob({
    name: 'one',
    run: async () => {
      await sleep(JOB_MS);
      lastEnd = performance.now();
    },
  });
  const then = defineJob({
    name: 'then',
    run: () => {
      waited.push(performance.now() - lastEnd);
      onThen();
    },
  });
  await withClient(bench, async ({ db }) => {
    const processors = processorsOn(db);
    await processors[0]?.ensureIndexes();
    for (const processor of processors) await processor.addJobFactories([one, then]);
    for (const processor of processors) processor.startProcessor();
    const jobs = Array.from({ length: JOBS_OF_A_BATCH }, () => ({ job: one }));
    for (let n = 0; n < batches; n += 1) {
      const begun = new Promise<void>((resolve) => {
        onThen = resolve;
      });
      await processors[0]?.addBatch(jobs, { then: { job: then } });
      await begun;
    }
    await Promise.all(processors.map((processor) => processor.stopProcessor()));
  });
  waited.sort((a, b) => a - b);
  const at = (share: number) => waited[Math.floor((waited.length - 1) * share)] ?? Number.NaN;
  for (const [title, share] of [
    ['median', 0.5],
    ['p99', 0.99],
  ] as const) {
    const name = `from the end of the last job to the job after it, ${title}, ms`;
    bench.results.add({ under, name, decimals: 1 }, OURS, at(share));
  }
}
