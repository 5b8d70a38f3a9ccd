import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../src/index.js';
import { expectCountedOnce } from '../counted-once.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { Gate } from '../jobs.js';
import { slowTime } from '../pass-time.js';

const database = useDatabase({ monitorCommands: true });

const THREADS = 16;

/** Enough for the pace to be known. */
const QUICK = 1000;

test('jobs that end at once share a claim with more than there are slots, and no more run at a time', async () => {
  let running = 0;
  let most = 0;
  const quick = defineJob({
    name: 'quick',
    run: async () => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    },
  });
  const processor = database.processor({ maxThreads: THREADS });
  await processor.addJobFactory(quick);
  await processor.addJobs(Array.from({ length: QUICK }, () => ({ name: 'quick' })));
  slowTime();
  const commands = await database.commandsForJobs(async () => {
    expect(await processor.drain()).toMatchObject({ claimed: QUICK, completed: QUICK });
  });
  expect(most).toBe(THREADS);
  const claims = commands.filter(({ commandName }) => commandName === 'find');
  expect(claims.length).toBeLessThan(QUICK / THREADS / 4);
});

test('of jobs that take their time, none is claimed before there is a slot for it', async () => {
  const processor = database.processor({ maxThreads: THREADS });
  const lasting = async () => {
    const began = performance.now();
    do
      await sleep(50); // A timer alone may fire early where the event loop was late to set it.
    while (performance.now() - began < 200);
  };
  await processor.addJobFactory(defineJob({ name: 'long', run: lasting }));
  await processor.addJobs(Array.from({ length: 5 * THREADS }, () => ({ name: 'long' })));
  const commands = await database.commandsForJobs(() => processor.drain());
  const claims = commands.filter(({ commandName, command }) => commandName === 'find' && command.limit);
  expect(claims.length).toBeGreaterThan(4);
  for (const { command } of claims) expect(command.limit).toBeLessThanOrEqual(THREADS);
});

describe('what was claimed ahead when jobs turn out to take longer', () => {
  /** Quick ones, and behind them some that wait at a gate: those without a slot were claimed with the quick ones. */
  async function setup(signal?: AbortSignal) {
    const gate = new Gate();
    const begun: string[] = [];
    const changing = defineJob({
      name: 'changing',
      input: z.object({ waits: z.boolean() }),
      run: async ({ input, jobId, signal }) => {
        if (!input.waits) return;
        begun.push(jobId);
        await gate.pass(signal);
      },
    });
    const processor = database.processor({ maxThreads: THREADS });
    await processor.addJobFactory(changing);
    const add = (count: number, waits: boolean) =>
      processor.addJobs(
        Array.from({ length: count }, () => ({
          name: 'changing',
          input: { waits },
          options: { priority: waits ? 0 : 9 },
        })),
      );
    await add(QUICK, false);
    const waiting = await add(5 * THREADS, true);
    const asUsual = slowTime();
    const draining = processor.drain({ ...(signal && { signal }) });
    await eventually(() => expect(gate.arrived).toBe(THREADS));
    asUsual();
    return { gate, begun, changing, processor, waiting, draining };
  }

  test('it is given back soon, for other workers', async () => {
    const { gate, begun, changing, processor, waiting, draining } = await setup();
    await eventually(async () =>
      expect(await processor.getJobs({ status: 'processing', limit: 100 })).toHaveLength(THREADS),
    );
    const other = database.processor({ maxThreads: 2 });
    await other.addJobFactory({ ...changing, run: async () => null });
    expect(await other.drain()).toMatchObject({ completed: waiting.length - THREADS });
    gate.open();
    const { givenBack } = await draining;
    expect(givenBack).toBeGreaterThan(0);
    const jobs = await Promise.all(waiting.map((id) => processor.getJob(id)));
    expect(jobs.map((job) => job?.status)).toEqual(waiting.map(() => 'completed'));
    expect(jobs.map((job) => job?.retryCounter)).toEqual(waiting.map(() => 1));
    const returned = jobs.filter((job) => job?.givenBackCounter === 1).map((job) => job?.id);
    expect(returned).toHaveLength(givenBack);
    expect(returned.filter((id) => begun.includes(id ?? ''))).toEqual([]);
  });

  test('it is given back at once when the worker is told to stop', async () => {
    const stop = new AbortController();
    const { begun, processor, waiting, draining } = await setup(stop.signal);
    stop.abort();
    const summary = await draining;
    expect(begun).toHaveLength(THREADS);
    expectCountedOnce(summary);
    expect(summary).toMatchObject({ completed: QUICK, givenBack: summary.claimed - QUICK });
    expect(summary.givenBack).toBeGreaterThan(THREADS);
    expect(await processor.getJobs({ status: 'processing' })).toEqual([]);
    expect(await processor.jobs.countReady()).toBe(waiting.length);
  });

  test('what is cancelled before it has a slot never begins', async () => {
    const { gate, begun, processor, waiting, draining } = await setup();
    const others = waiting.filter((id) => !begun.includes(id));
    for (const id of others) await processor.cancelJob(id);
    await eventually(async () =>
      expect(await processor.getJobs({ status: 'cancelled', limit: 100 })).toHaveLength(others.length),
    );
    gate.open();
    expect(await draining).toMatchObject({ completed: QUICK + THREADS });
    expect(begun).toHaveLength(THREADS);
  });
});
