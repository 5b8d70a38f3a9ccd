import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { program } from '../../programs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

const order = defineJob({
  name: 'order',
  input: z.string().optional(),
  run: async ({ step, input }) => {
    await step.run('charge', () => ({ id: 'ch_1' }));
    if (input === 'sleep') await step.sleep('cool down', '2 days');
    return step.waitForSignal('paid', { timeout: '3 days' });
  },
});

async function suspended() {
  const processor = database.processor();
  await processor.addJobFactory(order);
  await processor.addJob('order', undefined, { id: 'waits' });
  await processor.addJob('order', 'sleep', { id: 'sleeps' });
  await processor.drain();
  return processor;
}

test('a job that waits is labelled, its steps are shown, and a signal lets it go on', async () => {
  const processor = await suspended();

  const { out } = await run(['list']);
  expect(out).toMatch(/waits .*waits for paid \(until \d{4}-\d\d-\d\d \d\d:\d\dZ\)/);
  expect(out).toMatch(/sleeps .*sleeps until \d{4}-/);
  expect((await run(['get', 'waits'])).out).toMatch(/\nnow +waits for paid \(until/);
  const steps = await run(['steps', 'waits']);
  expect(steps.out).toMatch(
    /^STEP +KIND +STATE.*\ncharge +run +completed +0 .*\{"id":"ch_1"\}\nIt waits for paid/,
  );
  expect(await json(['steps', 'waits'])).toMatchObject({ run: 1, steps: [{ name: 'charge' }] });

  const send = ['signal', 'waits', 'paid', '{ "amount": 12 }', '--signal-id', 'a'];
  expect((await run(send)).out).toBe('paid: delivered\n');
  expect((await run(send)).out).toBe('paid: duplicate\n');
  expect((await run(['steps', 'waits'])).out).toContain('The signal paid of ');
  await processor.drain();
  expect(await processor.getJobResult('waits')).toEqual({ amount: 12 });
});

test('a signal that no job can take is an error', async () => {
  expect(await run(['signal', 'nobody', 'paid'])).toMatchObject({ code: 3 });
  expect(await run(['steps', 'nobody'])).toMatchObject({ code: 3 });
  expect(await run(['signal', 'nobody', 'paid', '{'])).toMatchObject({ code: 2 });
});

test('replay tells which stored steps the code of a module does not ask for, and changes nothing', async () => {
  const processor = database.processor();
  const former = defineJob({
    name: 'quick',
    run: async ({ step }) => {
      await step.run('charge', () => 1);
      await step.waitForSignal('paid');
    },
  });
  await processor.addJobFactory(former);
  const id = await processor.addJob('quick');
  await processor.drain();
  const before = await database.storedJob(id);
  const replay = ['replay', '--jobs', await program('test/local/cli/jobs-module.ts')];

  const { code, out, err } = await run(replay, { on: 'database' });
  expect(code).toBe(1);
  expect(out).toMatch(/^ID +JOB +FOUND +NOT FOUND.*\n\w+ +quick +0 +paid, charge/);
  expect(err).toContain('Stored steps of 1 jobs are not found by this code');
  expect(await database.storedJob(id)).toEqual(before);
  await processor.cancelJob(id);
  expect(await run(replay, { on: 'database' })).toMatchObject({ code: 0 });
});
