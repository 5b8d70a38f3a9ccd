import { describe, expect, test } from 'vitest';
import { later, occurrencesOf, useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase();
const { setup, elapse } = database;

/** So long that no test takes it. */
const MINUTE = 60;

const minutes = (...count: readonly number[]) => count.map((n) => n * MINUTE);

const everyTen = { type: 'Delay', delay: '10m', jobName: 'anything', active: true, id: 'tick' } as const;

/** An item of which four occurrences were made ahead, due in 10, 20, 30 and 40 minutes. */
async function setupAhead(options: object = {}) {
  const processor = await setup();
  await processor.addScheduler({ ...everyTen, ...options });
  const jobIds = await processor.scheduleDueItems({ ahead: '45m' });
  expect(jobIds).toHaveLength(4);
  const made = occurrencesOf(await processor.getJobs());
  const [first = new Date(Number.NaN)] = made;
  return { processor, jobIds, made, first };
}

const madeNow = async (processor: Awaited<ReturnType<typeof setup>>) =>
  occurrencesOf(await processor.getJobs({ limit: 1000 }));

describe('what is due before the next tick', () => {
  test('is made ahead, for its very moment', async () => {
    const { processor, made, first } = await setupAhead();
    expect(made).toEqual([first, ...later(first, ...minutes(10, 20, 30))]);
    for (const { runAt, occurrence, status } of await processor.getJobs())
      expect({ runAt, status }).toEqual({ runAt: occurrence?.at, status: 'queued' });
    expect(await processor.getScheduler('tick')).toMatchObject({
      lastCallTime: made[3],
      nextCallTime: later(first, 40 * MINUTE)[0],
      occurrences: 4,
    });
    expect(await processor.processNextJob()).toBe(false);
  });

  test('is made once, by however many ticks, and none is left out between them', async () => {
    const { processor, first } = await setupAhead();
    expect(await processor.scheduleDueItems({ ahead: '45m' })).toEqual([]);
    await elapse(22 * MINUTE);
    expect(await processor.scheduleDueItems({ ahead: '45m' })).toHaveLength(2);
    await elapse(60 * MINUTE);
    await processor.scheduleDueItems({ ahead: '45m' });
    const [at = first, ...rest] = await madeNow(processor);
    expect(rest.slice(0, 5)).toEqual(later(at, ...minutes(10, 20, 30, 40, 50)));
  });

  test('ends an item with its last occurrence', async () => {
    const processor = await setup();
    const now = await database.now();
    const at = later(now, 30 * MINUTE)[0] ?? now;
    await processor.addScheduler({ type: 'At', at, jobName: 'anything', active: true, id: 'once' });
    await processor.addScheduler({ ...everyTen, endAt: at, id: 'until' });
    await processor.addScheduler({ ...everyTen, maxOccurrences: 2, id: 'twice' });
    expect(await processor.scheduleDueItems({ ahead: '1h' })).toHaveLength(1 + 2 + 2);
    for (const item of await processor.getSchedulers())
      expect(item).toMatchObject({ active: false, nextCallTime: null });
  });

  test('is made so many at a time, and the rest in the next tick', async () => {
    const processor = await setup();
    await processor.addScheduler(everyTen);
    expect(await processor.scheduleDueItems({ ahead: '60d' })).toHaveLength(500);
    expect(await processor.scheduleDueItems({ ahead: '60d' })).toHaveLength(500);
    const [first = new Date(0), ...rest] = await madeNow(processor);
    expect(rest).toEqual(later(first, ...minutes(...Array.from({ length: 999 }, (_, n) => (n + 1) * 10))));
  });
});

describe('jobs that were made ahead are withdrawn, and the item goes back,', () => {
  /** As it was before anything was made. */
  const untouched = { lastCallTime: null, occurrences: 0 };

  test('when it is deactivated', async () => {
    const { processor } = await setupAhead();
    expect(await processor.deactivateScheduler('tick')).toMatchObject({
      ...untouched,
      active: false,
      nextCallTime: null,
    });
    expect(await processor.getJobs()).toEqual([]);
    expect(await processor.scheduleDueItems({ ahead: '1h' })).toEqual([]);
  });

  test('when it is removed', async () => {
    const { processor } = await setupAhead();
    await processor.removeScheduler('tick');
    expect(await processor.getJobs()).toEqual([]);
  });

  test('when its input is changed; they are made again for the same moments', async () => {
    const { processor, made, jobIds } = await setupAhead();
    expect(await processor.updateScheduler('tick', { input: 'new' })).toMatchObject({
      ...untouched,
      active: true,
      nextCallTime: made[0],
    });
    expect(await processor.getJobs()).toEqual([]);
    const again = await processor.scheduleDueItems({ ahead: '45m' });
    expect(again.filter((id) => jobIds.includes(id))).toEqual([]);
    const jobs = await processor.getJobs();
    expect(jobs.map(({ input }) => input)).toEqual(['new', 'new', 'new', 'new']);
    expect(occurrencesOf(jobs)).toEqual(made);
  });

  test('when its times are changed; then it is due from now', async () => {
    const { processor, first } = await setupAhead();
    const item = await processor.updateScheduler('tick', { delay: '15m' });
    expect(item).toMatchObject({ ...untouched, active: true });
    expect(Number(item.nextCallTime)).toBeGreaterThan(Number(first) + 3 * MINUTE * 1000);
    expect(await processor.getJobs()).toEqual([]);
  });

  test('when it is declared otherwise, or no more', async () => {
    const processor = await setup();
    const declare = (input: string) => processor.syncSchedulers([{ ...everyTen, input }]);
    await declare('old');
    await processor.scheduleDueItems({ ahead: '45m' });
    expect(await declare('old')).toMatchObject({ changed: [] });
    expect(await processor.getJobs()).toHaveLength(4);
    expect(await declare('new')).toMatchObject({ changed: ['tick'] });
    expect(await processor.getJobs()).toEqual([]);
    await processor.scheduleDueItems({ ahead: '45m' });
    expect(await processor.syncSchedulers([])).toMatchObject({ deactivated: ['tick'] });
    expect(await processor.getJobs()).toEqual([]);
  });

  test('but not those that are due already, nor what was made before', async () => {
    const { processor, jobIds } = await setupAhead();
    await elapse(25 * MINUTE);
    const made = await madeNow(processor);
    expect(await processor.deactivateScheduler('tick')).toMatchObject({
      lastCallTime: made[1],
      lastJobId: jobIds[1],
      occurrences: 2,
    });
    expect(await madeNow(processor)).toEqual(made.slice(0, 2));
  });

  test('but not one whose occurrence is due, and which runs later for its jitter', async () => {
    const { processor, jobIds } = await setupAhead({ jitter: '1d' });
    await elapse(15 * MINUTE);
    await processor.deactivateScheduler('tick');
    expect(await processor.getJobs()).toMatchObject([{ id: jobIds[0], status: 'queued' }]);
  });

  test('also when what was made before was removed since', async () => {
    const { processor } = await setupAhead();
    await elapse(25 * MINUTE);
    const made = await madeNow(processor);
    await processor.processJobs();
    await processor.removeJobs();
    const item = await processor.updateScheduler('tick', { title: 'new' });
    expect(item).toMatchObject({ lastCallTime: made[1], nextCallTime: made[2], occurrences: 2 });
    expect(item).not.toHaveProperty('lastJobId');
  });

  test.each([
    ['cancelled', 'cancelled'],
    ['begun before its time', 'completed'],
  ])('but not one that was %s by hand, which is not made again either', async (_, status) => {
    const { processor, jobIds, made } = await setupAhead({ input: 'old' });
    const touched = String(jobIds[1]);
    if (status === 'cancelled') await processor.cancelJob(touched);
    else await processor.updateJob(touched, { delay: 0 });
    await processor.processJobs();
    expect(await processor.removeJobs()).toMatchObject({ [status]: 0 });
    await processor.updateScheduler('tick', { input: 'new' });
    expect(await processor.getJobs()).toMatchObject([{ id: touched, status, input: 'old' }]);
    expect(await processor.scheduleDueItems({ ahead: '45m' })).toHaveLength(3);
    expect(await madeNow(processor)).toEqual(made);
    expect(await processor.getScheduler('tick')).toMatchObject({ occurrences: 4, lastCallTime: made[3] });
    await elapse(60 * MINUTE);
    expect(await processor.removeJobs()).toMatchObject({ [status]: 1 });
  });

  test('but not one that was cancelled by hand, which becomes the last job of the item again', async () => {
    const { processor, jobIds, made } = await setupAhead();
    const cancelled = String(jobIds.at(-1));
    await processor.cancelJob(cancelled);
    await processor.updateScheduler('tick', { title: 'new' });
    await processor.scheduleDueItems({ ahead: '45m' });
    const last = { lastCallTime: made.at(-1), lastJobId: cancelled };
    expect(await processor.getScheduler('tick')).toMatchObject(last);
  });

  test('and one that was begun by hand does not count among those of other times', async () => {
    const processor = await setup();
    await processor.addScheduler({
      type: 'Delay',
      delay: '7m',
      jobName: 'anything',
      active: true,
      id: 'tick',
    });
    await processor.scheduleDueItems({ ahead: '30m' });
    const [, second] = await processor.getJobs({ order: 'oldest' });
    await processor.updateJob(String(second?.id), { delay: 0 });
    await processor.updateScheduler('tick', { delay: '5m' });
    await processor.scheduleDueItems({ ahead: '30m' });
    expect(await processor.updateScheduler('tick', { title: 'New' })).toMatchObject({ occurrences: 0 });
  });

  test('but not one that failed before its time and waits for its next attempt', async () => {
    const { processor, jobIds } = await setupAhead({ jobName: 'flaky', jobOptions: { retryDelay: '1h' } });
    await processor.updateJob(String(jobIds[0]), { delay: 0 });
    await processor.processNextJob();
    await processor.deactivateScheduler('tick');
    expect(await processor.getJobs()).toMatchObject([{ id: jobIds[0], status: 'queued', retryCounter: 1 }]);
  });
});

describe('an item whose last occurrence was made ahead and is not due yet', () => {
  const start = async () => {
    const processor = await setup();
    const [at = new Date(Number.NaN)] = later(await database.now(), 30 * MINUTE);
    await processor.addScheduler({ type: 'At', at, jobName: 'anything', input: 1, active: true, id: 'once' });
    const [jobId] = await processor.scheduleDueItems({ ahead: '1h' });
    expect(await processor.getScheduler('once')).toMatchObject({ active: false, occurrences: 1 });
    return { processor, at, jobId: String(jobId) };
  };

  test('stays as it is when it is activated', async () => {
    const { processor, jobId } = await start();
    await processor.activateScheduler('once');
    expect(await processor.getJobs()).toMatchObject([{ id: jobId }]);
    expect(await processor.scheduleDueItems({ ahead: '1h' })).toEqual([]);
  });

  test('is withdrawn when it is deactivated, and comes back when it is activated', async () => {
    const { processor, at } = await start();
    expect(await processor.deactivateScheduler('once')).toMatchObject({
      active: false,
      nextCallTime: null,
      lastCallTime: null,
      occurrences: 0,
    });
    expect(await processor.getJobs()).toEqual([]);
    expect(await processor.activateScheduler('once')).toMatchObject({ active: true, nextCallTime: at });
    expect(await processor.scheduleDueItems({ ahead: '1h' })).toHaveLength(1);
  });

  test('is made again with another input', async () => {
    const { processor, at } = await start();
    expect(await processor.updateScheduler('once', { input: 2 })).toMatchObject({
      active: true,
      nextCallTime: at,
    });
    expect(await processor.scheduleDueItems({ ahead: '1h' })).toHaveLength(1);
    expect(await processor.getJobs()).toMatchObject([{ input: 2, occurrence: { at } }]);
    expect(await processor.getScheduler('once')).toMatchObject({ active: false, occurrences: 1 });
  });

  test('is made at another moment', async () => {
    const { processor, at } = await start();
    const [other] = later(at, 120 * MINUTE);
    expect(await processor.updateScheduler('once', { at: other })).toMatchObject({ nextCallTime: other });
    expect(await processor.scheduleDueItems({ ahead: '1h' })).toEqual([]);
    expect(await processor.scheduleDueItems({ ahead: '3h' })).toHaveLength(1);
  });

  test('goes on when it may have more of them', async () => {
    const processor = await setup();
    await processor.addScheduler({ ...everyTen, maxOccurrences: 2 });
    await processor.scheduleDueItems({ ahead: '45m' });
    const made = await madeNow(processor);
    expect(await processor.updateScheduler('tick', { maxOccurrences: 3 })).toMatchObject({ active: true });
    expect(await processor.scheduleDueItems({ ahead: '45m' })).toHaveLength(3);
    expect(made).toHaveLength(2);
  });

  test('is not started by a change once a person has switched it off', async () => {
    const { processor, jobIds } = await setupAhead();
    for (const id of jobIds) await processor.cancelJob(id);
    await processor.deactivateScheduler('tick');
    // What was cancelled is queued again: a job of an occurrence to come, of an item that is not active.
    const again = String(jobIds[1]);
    await processor.retryJob(again);
    await processor.updateJob(again, { delay: '3h' });
    expect(await processor.updateScheduler('tick', { title: 'new' })).toMatchObject({ active: false });
    expect((await processor.getJobs()).map(({ id }) => id)).not.toContain(again);
  });
});
