import { availableParallelism } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type LogFields } from '../../src/index.js';
import { closeSubprocessPool } from '../../src/subprocess/run-in-subprocess.js';
import { silent, useDatabase } from '../database.js';

const database = useDatabase();
const module = new URL('./modules/behaviour.subprocess.js', import.meta.url);

afterEach(closeSubprocessPool);

test('what a job waits for a thread counts neither for its timeout nor as its duration', async () => {
  const long = defineJob({ name: 'long', input: z.unknown(), module, priority: 9 });
  const short = defineJob({ name: 'short', input: z.unknown(), module, timeout: '1s' });
  const ended: LogFields[] = [];
  const log = {
    ...silent,
    info: (message: string, fields: LogFields = {}) =>
      void (message === 'Attempt ended' && ended.push(fields)),
  };
  const threads = availableParallelism();
  const processor = database.processor({ maxThreads: threads + 1, log });
  await processor.addJobFactories([long, short]);
  for (let n = 0; n < threads; n += 1) await processor.addJob(long, { do: 'sleep', ms: 1_500 });
  await processor.addJob(short, { do: 'return', value: 'done' });
  expect(await processor.drain()).toMatchObject({ claimed: threads + 1, completed: threads + 1 });
  const { durationMs } = ended.find(({ jobName }) => jobName === 'short') ?? {};
  expect(durationMs).toBeLessThan(1_000);
});
