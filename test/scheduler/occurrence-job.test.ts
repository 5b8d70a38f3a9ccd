import { describe, expect, test } from 'vitest';
import { defineJob } from '../../src/index.js';
import { echo } from '../jobs.js';
import { useSchedulerDatabase } from './setting.js';

const { setup, makeDue } = useSchedulerDatabase();

const hourly = { type: 'Delay', delay: '1h', active: true } as const;

describe('the job of an occurrence', () => {
  test('has the input of the item and the defaults of its factory, and is due with it', async () => {
    const processor = await setup();
    const mail = { name: 'mail', input: echo.input, queue: 'mail', priority: 4, maxRetries: 7 };
    await processor.addJobFactory(defineJob({ ...mail, retryDelay: '7s', run: async () => 1 }));
    const input = { $set: 1, 'a.b': '$$NOW', nested: { $gt: [{ $literal: '$x' }] } };
    await processor.addScheduler({ ...hourly, jobName: 'mail', id: 'tick', input });
    const due = await makeDue('tick');
    const jobId = await processor.scheduleNextJob();
    expect(await processor.getJobs()).toMatchObject([
      {
        id: jobId,
        jobName: 'mail',
        queue: 'mail',
        priority: 4,
        maxRetries: 7,
        retryDelay: 7000,
        input,
        runAt: due,
        occurrence: { item: 'tick', at: due, previous: null },
      },
    ]);
    expect((await processor.getJobs())[0]?.input).toEqual(input);
  });

  test('has the options that the item sets', async () => {
    const processor = await setup();
    const retryDelay = { kind: 'exponential', base: '1s', cap: '1m' } as const;
    const jobOptions = { queue: '$queue', priority: 9, maxRetries: 2, retryDelay };
    await processor.addScheduler({ ...hourly, jobName: 'flaky', id: 'tick', jobOptions });
    await processor.updateScheduler('tick', { title: 'As it was' });
    await makeDue('tick');
    await processor.scheduleDueItems();
    expect(await processor.getJobs()).toMatchObject([
      { queue: '$queue', priority: 9, maxRetries: 2, retryDelay: { base: 1000, cap: 60_000 } },
    ]);
  });

  test.each(['at', 'a.b', '$at', 'constructor', 'n'])('tells its time in the field %s', async (timeField) => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, jobName: 'echo', id: 'tick', timeField, input: { n: 1 } });
    const due = await makeDue('tick');
    await processor.scheduleDueItems();
    const [job] = await processor.getJobs();
    expect(job?.input).toEqual({ n: 1, [timeField]: due.toISOString() });
    await processor.processJobs();
    expect(await processor.getJobResult(String(job?.id))).toEqual(job?.input);
  });

  test('tells its time in an input that was left out', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, jobName: 'anything', id: 'tick', timeField: 'at' });
    const due = await makeDue('tick');
    await processor.scheduleDueItems();
    expect(await processor.getJobs()).toMatchObject([{ input: { at: due.toISOString() } }]);
  });

  test('runs up to the jitter later, always as much', async () => {
    const processor = await setup();
    const ids = Array.from({ length: 20 }, (_, n) => `item ${n}`);
    for (const id of ids) await processor.addScheduler({ ...hourly, jobName: 'flaky', id, jitter: '10m' });
    const delaysOf = async () => {
      const delays = new Map<string | undefined, number>();
      for (const { occurrence, runAt } of await processor.getJobs())
        delays.set(occurrence?.item, runAt.getTime() - Number(occurrence?.at));
      return delays;
    };
    await processor.scheduleDueItems({ ahead: '1h' });
    const delays = await delaysOf();
    expect(Math.min(...delays.values())).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays.values())).toBeLessThan(600_000);
    expect(new Set(delays.values()).size).toBeGreaterThan(15);

    for (const id of ids) await processor.updateScheduler(id, { title: 'Made again' });
    expect(await processor.getJobs()).toEqual([]);
    await processor.scheduleDueItems({ ahead: '1h' });
    expect(await delaysOf()).toEqual(delays);
  });
});
