import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../src/index.js';
import { useDatabase } from '../database.js';
import { echo, failing, gatedJob } from '../jobs.js';

const database = useDatabase();

const length = defineJob({
  name: 'length',
  input: z.string(),
  output: z.number(),
  run: async ({ input }) => input.length,
});

test('a job that is run meanwhile is waited for, with what it returned', async () => {
  const processor = database.processor();
  const { gate, factory } = gatedJob();
  await processor.addJobFactories([length, factory]);
  const held = await processor.addJob('gated');
  const waiting = processor.waitFor(held);
  const drained = processor.drain();
  gate.open();
  expect(await waiting).toMatchObject({ id: held, status: 'completed' });
  await drained;

  const id = await processor.addJob(length, 'four');
  await processor.drain();
  const { output } = await processor.waitFor(id, { job: length, timeout: '10s' });
  const typed: number | undefined = output;
  expect(typed).toBe(4);
});

test('a job that ended otherwise is given too', async () => {
  const processor = database.processor();
  await processor.addJobFactories([failing, echo]);
  const failed = await processor.addJob('failing');
  const cancelled = await processor.addJob('echo', {}, { delay: '1h' });
  await processor.cancelJob(cancelled);
  await processor.drain();

  expect((await processor.waitFor(failed)).status).toBe('error');
  expect((await processor.waitFor(cancelled)).status).toBe('cancelled');
});

test('a job that is not settled in time is an error of ours', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const id = await processor.addJob('echo', {}, { delay: '1h' });

  await expect(processor.waitFor(id, { timeout: 60 })).rejects.toMatchObject({
    code: 'wait_timeout',
    id,
    status: 'queued',
    timeoutMs: 60,
  });
});

test('a job that is not there, or no more, is not found', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const id = await processor.addJob('echo', {}, { delay: '1h' });
  await processor.cancelJob(id);
  await processor.removeJob(id);

  await expect(processor.waitFor(id)).rejects.toMatchObject({ code: 'not_found', id });
});

test('a signal ends the waiting with its reason, at once and later', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const id = await processor.addJob('echo', {}, { delay: '1h' });
  const reason = new Error('enough');
  const later = new AbortController();
  const waiting = processor.waitFor(id, { signal: later.signal });
  later.abort(reason);

  await expect(waiting).rejects.toBe(reason);
  await expect(processor.waitFor(id, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('options that are none are refused', async () => {
  const processor = database.processor();
  const wrong = { timeout: 'soon', job: { name: 'echo' } };
  // @ts-expect-error the types refuse it already
  const waiting = processor.waitFor('id', wrong);
  await expect(waiting).rejects.toMatchObject({ issues: [{ path: 'job' }, { path: 'timeout' }] });
});
