import { expect, test } from 'vitest';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

test('the jobs of the last occurrences are told, the latest first, and neither removed nor extra ones', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const [first, second] = [new Date(60_000), new Date(120_000)];
  const item = { id: 'twice', type: 'Cron', cron: '* * * * *', jobName: 'echo', input: {} } as const;
  const bounds = { startAt: first, endAt: second, catchUp: 'all', active: false } as const;
  await processor.addScheduler({ ...item, ...bounds, endAt: '2999-01-01T00:00:00Z' });
  const { scheduler } = database.collections();
  await scheduler.updateOne({ _id: 'twice' }, { $set: { active: true, nextCallTime: first, endAt: second } });
  await processor.scheduleDueItems();
  await processor.schedules.runNow('twice');

  const history = await processor.schedules.history('twice');
  expect(history).toEqual([
    { at: second, jobId: expect.any(String), status: 'queued' },
    { at: first, jobId: expect.any(String), status: 'queued' },
  ]);
  await processor.drain();
  await processor.removeJob(history[1]?.jobId ?? '');
  expect(await processor.schedules.history('twice')).toMatchObject([{ at: second, status: 'completed' }]);
  expect(await processor.schedules.history('none')).toEqual([]);
  await expect(processor.schedules.history('twice', 0)).rejects.toMatchObject({ name: 'ValidationError' });
});

test('what is due within a time is told of all active items', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const job = { jobName: 'echo', input: {} };
  const soon = new Date(Date.now() + 3_600_000);
  await processor.addScheduler({
    ...job,
    id: 'hourly',
    type: 'Delay',
    delay: '1h',
    title: 'Hourly',
    active: true,
  });
  await processor.addScheduler({ ...job, id: 'once', type: 'At', at: soon, active: true });
  await processor.addScheduler({ ...job, id: 'off', type: 'Delay', delay: '1h' });
  const far = new Date(Date.now() + 3 * 86_400_000);
  await processor.addScheduler({ ...job, id: 'far', type: 'At', at: far, active: true });

  const upcoming = await processor.schedules.upcoming();

  const byId = new Map(upcoming.map((item) => [item.id, item]));
  expect([...byId.keys()].sort()).toEqual(['hourly', 'once']);
  expect(byId.get('once')?.at).toEqual([soon]);
  expect(byId.get('hourly')?.title).toBe('Hourly');
  expect(byId.get('hourly')?.at.length).toBeGreaterThan(22);
  await expect(processor.schedules.upcoming('8 days')).rejects.toMatchObject({ name: 'ValidationError' });
});

test('items are searched by id, title and job, literally, 5,000 at a time', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const item = { type: 'Delay', delay: '1h', jobName: 'echo', input: {} } as const;
  await processor.addScheduler({ ...item, id: 'weekly', title: 'The (Report)' });
  await processor.addScheduler({ ...item, id: 'reporting' });
  const found = async (text: string) =>
    (await processor.schedules.list({ text, brief: true })).schedulers.map(({ id }) => id);
  expect(await found('REPORT')).toEqual(['reporting', 'weekly']);
  expect(await found('(report)')).toEqual(['weekly']);
  expect(await found('ECHO')).toEqual(['reporting', 'weekly']);
  expect(await found('.*')).toEqual([]);

  const { scheduler } = database.collections();
  const like = await scheduler.findOne({ _id: 'weekly' });
  if (!like) throw new Error('The item is gone.');
  const many = Array.from({ length: 5000 }, (_, n) => ({
    ...{ ...like, _id: `a${String(n).padStart(4, '0')}`, title: '' },
  }));
  await scheduler.insertMany(many);
  const first = await processor.schedules.list({ text: 'report' });
  expect(first.schedulers).toEqual([]);
  const second = await processor.schedules.list({ text: 'report', cursor: first.cursor });
  expect(second.schedulers.map(({ id }) => id)).toEqual(['reporting', 'weekly']);
  expect(second.cursor).toBeUndefined();
});
