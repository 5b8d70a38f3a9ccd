/** What `remote-processor/testing` offers to tests of jobs with steps. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createTestProcessor, runJob } from '../../local/testing/index.js';
import { defineJob, RemoteException } from '../../src/index.js';

const now = new Date('2026-01-30T09:00:00Z');
const day = 24 * 60 * 60 * 1000;

const order = defineJob({
  name: 'order',
  input: z.object({ item: z.string() }),
  run: async ({ input, step, log }) => {
    const refund = (id: unknown) => log(`Refund ${id}`);
    const charge = await step.run('charge', { retry: { attempts: 3, delay: '1s' }, compensate: refund }, () =>
      Promise.reject<string>(new Error('no network in tests')),
    );
    await step.transaction('reserve', () => Promise.reject<undefined>(new Error('no stock in tests')));
    await step.sleep('cool down', '1s');
    const { url, wait } = await step.callback('approval', { timeout: '3 days' });
    await step.run('ask', () => url);
    const answer = await wait();
    if (!answer?.approved) throw new RemoteException(answer ? 'refused' : 'no answer');
    const paid = await step.waitForSignal('paid', { schema: z.number() });
    return `${input.item} ${charge} ${paid}`;
  },
});

/** A processor with an order that waits for its approval, and its link. */
async function waiting() {
  const processor = await createTestProcessor({ jobs: { order }, now });
  processor.replaceStep(order, 'charge', () => 'charge-1');
  processor.replaceStep(order, 'reserve', () => undefined);
  const id = await processor.addJob(order, { item: 'tea' });
  await processor.advance('1s');
  const { steps } = await processor.jobs.steps(id);
  return { processor, id, url: String(steps.find(({ name }) => name === 'ask')?.result) };
}

test('time skips through sleeps, links are answered, signals are sent, and steps are replaced', async () => {
  const { processor, id, url } = await waiting();
  await using _ = processor;
  expect(await processor.advance('2 days')).toEqual([]);
  expect(await processor.answer(url, { approved: true })).toEqual({ outcome: 'delivered' });
  expect(await processor.answer(url, { approved: false })).toEqual({ outcome: 'duplicate' });
  await processor.signal(id, 'paid', 7);
  expect(await processor.drainAll()).toMatchObject([{ outcome: 'completed' }]);
  expect(await processor.getJobResult(id)).toBe('tea charge-1 7');
  await expect(processor.answer(`${url}x`, {})).rejects.toMatchObject({ issues: [{ path: 'url' }] });
});

test('a wait times out by the clock, and the steps are undone', async () => {
  const { processor, id } = await waiting();
  await using _ = processor;
  expect(await processor.advance('71h')).toEqual([]);
  const ended = await processor.advance('1h');
  expect(ended.map(({ outcome, at }) => [outcome, at.getTime() - now.getTime()])).toEqual([
    ['suspended', 3 * day + 1_000],
    ['errors', 3 * day + 1_000],
  ]);
  expect((await processor.jobs.log(id)).lines.map(({ message }) => message)).toEqual(['Refund charge-1']);
});

test('a step that fails is tried again by the clock, without waiting', async () => {
  await using processor = await createTestProcessor({ jobs: { order }, now });
  processor.failNextStep(order, 'charge');
  processor.failNextStep(order, 'charge', new Error('twice'));
  processor.replaceStep(order, 'charge', () => 'charge-1');
  const id = await processor.addJob(order, { item: 'tea' });
  await processor.drainAll();
  expect((await processor.jobs.steps(id)).steps).toMatchObject([
    { name: 'charge', state: 'retrying', tries: 1 },
  ]);
  await processor.advance('2s');
  expect((await processor.jobs.steps(id)).steps[0]).toMatchObject({ state: 'completed', tries: 2 });
  expect(() => processor.failNextStep('nobody', 'charge')).toThrow("'nobody'");
});

test('a moment is that of the clock, however this machine is set', async () => {
  const until = defineJob({
    name: 'until',
    run: async ({ step }) => {
      await step.sleepUntil('tomorrow', new Date(now.getTime() + day));
    },
  });
  await using processor = await createTestProcessor({ jobs: { until }, now });
  const id = await processor.addJob(until);
  const ended = await processor.advance('2 days');
  expect(ended.map(({ outcome, at }) => [outcome, at.getTime() - now.getTime()])).toEqual([
    ['suspended', 0],
    ['completed', day],
  ]);
  const [slept] = (await processor.jobs.steps(id)).steps;
  expect(slept?.began).toEqual(now);
});

test('runJob keeps steps in memory, skips waits and tells them, and gives signals', async () => {
  const signals = [
    { name: 'approval', payload: { approved: true } },
    { name: 'paid', payload: 'nothing' },
    { name: 'paid', payload: 7 },
  ];
  const steps = { charge: () => 'charge-1', reserve: () => undefined };
  const run = await runJob(order, { item: 'tea' }, { signals, steps });
  expect(run.output).toBe('tea charge-1 7');
  expect(run.steps).toMatchObject([
    { name: 'charge', kind: 'run', state: 'completed', result: 'charge-1' },
    { name: 'reserve', kind: 'transaction' },
    { name: 'cool down', kind: 'sleep', waited: 1_000 },
    { name: 'ask', result: 'https://jobs.test/callbacks/approval' },
    { name: 'approval', kind: 'signal', result: { approved: true } },
    { name: 'paid', result: 7 },
  ]);
  expect(run.logs[0]?.message).toContain('A signal was dropped');
  await expect(runJob(order, { item: 'tea' }, { steps })).rejects.toThrow('no answer');
  await expect(runJob(order, { item: 'tea' }, { signals })).rejects.toThrow('no network in tests');
});

test('runJob refuses what it cannot do, and says what to pass', async () => {
  const pay = defineJob({ name: 'pay', run: ({ step }) => step.transaction('pay', () => 1) });
  await expect(runJob(pay)).rejects.toThrow('needs a client');
  const wait = defineJob({ name: 'wait', run: ({ step }) => step.waitForSignal('paid') });
  await expect(runJob(wait)).rejects.toThrow("waits for 'paid'");
  await using processor = await createTestProcessor();
  const { client } = processor.db;
  const { output, steps } = await runJob(pay, undefined, { client });
  expect({ output, steps }).toMatchObject({ output: 1, steps: [{ name: 'pay', result: 1 }] });
});

test('runJob tells with which input a job goes on', async () => {
  const month = defineJob({
    name: 'month',
    input: z.object({ month: z.number() }),
    run: async ({ input, step }) => {
      await step.sleep('month', '30 days');
      return step.continueAs({ month: input.month + 1 });
    },
  });
  expect(await runJob(month, { month: 1 })).toMatchObject({ continuedAs: { month: 2 }, output: undefined });
});
