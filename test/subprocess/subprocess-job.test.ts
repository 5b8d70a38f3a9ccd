import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type LogFields } from '../../src/index.js';
import { closeSubprocessPool } from '../../src/subprocess/run-in-subprocess.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { passTime } from '../pass-time.js';
import type { Behaviour } from './modules/behaviour.subprocess.js';

const database = useDatabase();
const module = new URL('./modules/behaviour.subprocess.js', import.meta.url);

afterAll(closeSubprocessPool);

test('what a job waits for a thread counts neither for its timeout nor as its duration', async () => {
  const long = defineJob({ name: 'long', input: z.unknown(), module, priority: 9 });
  const short = defineJob({ name: 'short', input: z.unknown(), module, timeout: '1m' });
  const ended: LogFields[] = [];
  const log = {
    ...silent,
    info: (message: string, fields: LogFields = {}) =>
      void (message === 'Attempt ended' && ended.push(fields)),
  };
  const threads = availableParallelism();
  const processor = database.processor({ maxThreads: threads + 1, lease: '1h', log });
  await processor.addJobFactories([long, short]);
  const folder = await mkdtemp(join(tmpdir(), 'threads-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'end');
  for (let n = 0; n < threads; n += 1) await processor.addJob(long, { do: 'wait for file', path });
  await processor.addJob(short, { do: 'return', value: 'done' });
  const draining = processor.drain();
  await eventually(async () => {
    const begun = (await processor.getJobs()).filter(({ progress }) => progress === 'begun');
    expect(begun).toHaveLength(threads);
  });
  passTime(100_000);
  await writeFile(path, '');
  expect(await draining).toMatchObject({ claimed: threads + 1, completed: threads + 1 });
  const { durationMs } = ended.find(({ jobName }) => jobName === 'short') ?? {};
  expect(durationMs).toBeLessThan(100_000);
});

/** Runs one job that does as it is told, and returns it as it is then, and its log. */
async function afterRunning(input: Behaviour) {
  const processor = database.processor();
  const job = defineJob({ name: 'telling', input: z.unknown(), module, maxRetries: 1 });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job, input);
  await processor.drain();
  return { job: await processor.getJob(id), log: await processor.jobs.log(id) };
}

test('it logs, and reports progress in every form, from its thread', async () => {
  const { job, log } = await afterRunning({ do: 'tell' });
  expect(job).toMatchObject({ status: 'error', progress: { done: 1, of: 2, message: 'half' } });
  expect(job?.errors[0]?.message).toContain('expected a number from 0 to 2');
  expect(log.lines).toMatchObject([
    { attempt: 1, message: 'first', fields: { n: 1 } },
    { attempt: 1, message: 'last' },
  ]);
});

test('what its log refuses is thrown in its thread', async () => {
  const { job, log } = await afterRunning({ do: 'tell too much' });
  expect(job?.errors[0]?.message).toContain('at most 1024 bytes');
  expect(log.lines).toEqual([]);
});

test('what its thread told before it died is not lost, though this thread was busy just then', async () => {
  const busy = setInterval(() => {
    const until = performance.now() + 300;
    while (performance.now() < until);
  }, 10);
  const { job, log } = await afterRunning({ do: 'tell and exit' }).finally(() => clearInterval(busy));
  expect(job).toMatchObject({ status: 'error', progress: 'the end' });
  expect(log.lines.map(({ message }) => message)).toEqual(
    Array.from({ length: 50 }, (_, index) => `line ${index + 1}`),
  );
});
