import type { Db } from 'mongodb';
import { defineJob, type JobContext, RemoteProcessor, silentLogger } from '../../../src/index.js';
import { attempt } from '../attempt.js';
import type { Bench, Measurement } from '../bench.js';
import { DBOS, type MeasuredName, OURS } from '../contenders/contender.js';
import { withDbos } from '../contenders/dbos.js';
import { titleOf } from '../contenders/index.js';
import { postgres } from '../servers/postgres.js';
import { withClient } from './with-client.js';
import { withServer } from './with-neighbours.js';

const FULL = { steps: 200, jobs: 20, calls: 2_000 };
const QUICK = { steps: 40, jobs: 20, calls: 200 };

type Size = typeof FULL;

/**
 * Measures the steps of jobs, and beside them the least that stores as much: a bare loop that writes a document per step. DBOS
 * stores its steps in PostgreSQL.
 */
export const steps: Measurement = {
  name: 'steps',
  about:
    'the commands and the speed of durable steps, beside a bare loop that writes a document per step, and DBOS',
  async run(bench) {
    const size = bench.isQuick ? QUICK : FULL;
    for (const concurrency of [1, size.jobs]) {
      const under = titleFor(concurrency);
      await attempt(bench, 'floor', under, () => measureLoop(bench, under, concurrency, size));
      await attempt(bench, OURS, under, () => measureSteps(bench, under, concurrency, size));
    }
    await withServer(bench, titleOf(DBOS), postgres, async (uri) => {
      if (uri !== undefined) await attempt(bench, DBOS, 'steps', () => measureDbos(bench, uri, size));
    });
    await attempt(bench, OURS, 'iteration, sleep and signal', () => measureOthers(bench, size));
  },
};

function titleFor(concurrency: number): string {
  return `Steps that do nothing, ${concurrency === 1 ? 'one job' : `${concurrency} jobs at a time`}`;
}

function add({ results }: Bench, under: string, name: string, contender: MeasuredName, value: number): void {
  results.add({ under, name, decimals: 3 }, contender, value);
}

async function measureLoop(
  bench: Bench,
  under: string,
  concurrency: number,
  { steps: count }: Size,
): Promise<void> {
  await withClient(bench, async ({ db, counting }) => {
    const log = db.collection<{ _id: string; result: number }>('steps');
    const loop = async (job: number) => {
      for (let n = 0; n < count; n += 1) await log.insertOne({ _id: `${job} ${n}`, result: n });
    };
    const all = () => Promise.all(Array.from({ length: concurrency }, (_, job) => loop(job)));
    const { commands, ms } = await counting(all);
    add(bench, under, 'commands per step', 'floor', commands / count / concurrency);
    add(bench, under, 'steps a second', 'floor', (count * concurrency * 1000) / ms);
  });
}

async function measureDbos(bench: Bench, uri: string, { steps: count, jobs }: Size): Promise<void> {
  await withDbos(uri, count, async (runAll) => {
    await runAll(1);
    for (const concurrency of [1, jobs]) {
      const began = performance.now();
      await runAll(concurrency);
      const ms = performance.now() - began;
      add(bench, titleFor(concurrency), 'steps a second', DBOS, (count * concurrency * 1000) / ms);
    }
  });
}

async function processorThat(db: Db, run: (context: JobContext) => unknown, maxThreads = 1) {
  const processor = new RemoteProcessor({ db, maxThreads, log: silentLogger });
  await processor.ensureIndexes();
  const job = defineJob({ name: 'stepped', run });
  await processor.addJobFactory(job);
  return { processor, job };
}

async function measureSteps(
  bench: Bench,
  under: string,
  concurrency: number,
  { steps: count }: Size,
): Promise<void> {
  await withClient(bench, async ({ db, counting }) => {
    const run = async ({ step }: JobContext) => {
      for (let n = 0; n < count; n += 1) await step.run(`step ${n}`, () => n);
    };
    const { processor, job } = await processorThat(db, run, concurrency);
    await processor.addJobs(Array.from({ length: concurrency }, () => ({ job })));
    const { commands, ms } = await counting(() => processor.drain());
    add(bench, under, 'commands per step', OURS, commands / count / concurrency);
    add(bench, under, 'steps a second', OURS, (count * concurrency * 1000) / ms);
  });
}

async function measureOthers(bench: Bench, { calls }: Size): Promise<void> {
  const under = 'What a job costs in commands, from its claim to its end';
  await withClient(bench, async ({ db, counting }) => {
    const { processor, job } = await processorThat(db, () => undefined);
    await processor.addJob(job);
    const { commands } = await counting(() => processor.drain());
    add(bench, under, 'a job without steps', OURS, commands);
  });
  await withClient(bench, async ({ db, counting }) => {
    const { processor, job } = await processorThat(db, ({ step }) =>
      step.iterate('rows', { start: 0 }, (at: number) => (at < calls ? { next: at + 1 } : { done: at })),
    );
    await processor.addJob(job);
    const { commands } = await counting(() => processor.drain());
    add(bench, under, `an iteration of ${calls.toLocaleString('en')} calls`, OURS, commands);
  });
  await withClient(bench, async ({ db, counting }) => {
    const { processor, job } = await processorThat(db, ({ step }) => step.waitForSignal('go on'));
    const id = await processor.addJob(job);
    const suspended = await counting(() => processor.drain());
    const signal = await counting(() => processor.signal(id, 'go on', 1));
    const resumed = await counting(() => processor.drain());
    add(bench, under, 'a wait for a signal, without the signal', OURS, suspended.commands + resumed.commands);
    add(bench, under, 'a signal', OURS, signal.commands);
  });
}
