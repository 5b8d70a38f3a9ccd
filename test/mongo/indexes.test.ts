import type { CommandStartedEvent, Document } from 'mongodb';
import { expect, test } from 'vitest';
import { useDatabase } from '../database.js';
import { echo, failing, flaky } from '../jobs.js';

const database = useDatabase();

/** What a command may carry beside itself, and `explain` does not want. */
const envelope = [
  '$db',
  'lsid',
  'txnNumber',
  'startTransaction',
  'autocommit',
  '$clusterTime',
  'writeConcern',
  '$readPreference',
];

/** The statements of a command that search a collection, each as a command that can be explained. */
function searches({ command }: CommandStartedEvent): Document[] {
  const { update, updates, deletes, ...rest } = command;
  if (updates) return updates.map((statement: Document) => ({ update, updates: [statement] }));
  if (deletes) return deletes.map((statement: Document) => ({ delete: rest.delete, deletes: [statement] }));
  const isSearch = ['find', 'aggregate', 'findAndModify', 'count', 'distinct'].some(
    (name) => name in command,
  );
  return isSearch
    ? [Object.fromEntries(Object.entries(command).filter(([name]) => !envelope.includes(name)))]
    : [];
}

test('every statement is served by an index', async () => {
  const processor = database.processor({ maxThreads: 3 });
  await processor.ensureIndexes({ byQueue: true });
  const limited = database.processor({ queues: ['mail', 'default'] });
  const started: CommandStartedEvent[] = [];
  const note = (event: CommandStartedEvent) => started.push(event);
  database.client.on('commandStarted', note);

  await processor.addJobFactories([echo, failing, flaky]);
  await limited.addJobFactories([echo]);
  for (const id of ['a', 'b', 'c', 'd']) await processor.addJob('echo', { id }, { id, uniqueKey: id });
  await processor.addJob('failing');
  await processor.addJob('flaky');
  await processor.addJob('echo', { id: 'a' }, { id: 'a' });
  await processor.updateJob('a', { priority: 3 });
  await processor.cancelJob('b');
  await limited.processNextJob();
  await processor.drain();
  await processor.drain({ signal: AbortSignal.abort() });
  for (const order of ['newest', 'oldest'] as const) {
    const { cursor } = await processor.listJobs({ order, limit: 1 });
    await processor.listJobs({ order, cursor });
    await processor.listJobs({ order, status: 'completed', limit: 1 });
    await processor.listJobs({ order, jobName: 'echo' });
    await processor.listJobs({ order, queue: 'default' });
    await processor.listJobs({ order, status: 'completed', jobName: 'echo', errorText: 'no' });
  }
  await processor.getOldestWaitingJobs();
  await processor.countJobs();
  await processor.pauseQueue('default');
  await processor.addJob('echo', {}, { id: 'paused' });
  await processor.addJob('echo', {}, { id: 'open', queue: 'open' });
  await processor.getQueues();
  await processor.getOldestWaitingJobs();
  await processor.countReadyJobs();
  await processor.drain({ linger: 1 });
  await processor.resumeQueue('default');
  await processor.getJobFactories();
  await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1s', active: true, id: 'tick' });
  await processor.getSchedulers();
  await processor.reScheduleItem('tick');
  await processor.reScheduleItems();
  await database.db
    .collection<{ _id: string }>('scheduler')
    .updateOne({ _id: 'tick' }, { $set: { nextCallTime: new Date(1) } });
  await processor.scheduleDueItems({ ahead: '10s' });
  await processor.preview('tick');
  await processor.updateScheduler('tick', { overlap: 'skip' });
  await database.db
    .collection<{ _id: string }>('scheduler')
    .updateOne({ _id: 'tick' }, { $set: { nextCallTime: new Date(1) } });
  await processor.scheduleDueItems();
  await processor.deactivateScheduler('tick');
  await processor.activateScheduler('tick');
  await processor.runNow('tick');
  await processor.scheduleNextJob();
  const declared = { type: 'Delay', delay: '1s', jobName: 'flaky', id: 'declared' } as const;
  await processor.syncSchedulers([declared]);
  await processor.syncSchedulers([{ ...declared, title: 'New' }]);
  await processor.syncSchedulers([]);
  await processor.removeScheduler('tick');
  await processor.removeJobs();
  await processor.removeJobs(['completed'], { olderThan: '1 day' });

  database.client.off('commandStarted', note);
  const explained = await Promise.all(
    started.flatMap(searches).map(async (search) => {
      const plan = await database.db.command({ explain: search, verbosity: 'queryPlanner' });
      return { search: JSON.stringify(search), scansAll: JSON.stringify(plan).includes('COLLSCAN') };
    }),
  );
  expect(explained.length).toBeGreaterThan(40);
  expect(explained.filter(({ scansAll }) => scansAll)).toEqual([]);
});

test('indexes of earlier versions are dropped once those that took their place are there', async () => {
  const processor = database.processor();
  const jobs = database.db.collection('jobs');
  const names = async () => (await jobs.indexes()).map(({ name }) => name).sort();
  const needed = await names();
  await jobs.dropIndex('claimAll');
  await jobs.createIndexes([
    { name: 'status', key: { status: 1, _id: 1 } },
    { name: 'byStatus', key: { status: 1, created: 1, _id: 1 } },
    {
      name: 'claim',
      key: { priority: -1, runAt: 1, _id: 1, jobName: 1 },
      partialFilterExpression: { status: 'queued' },
    },
    { name: 'lease', key: { 'lease.expires': 1 }, partialFilterExpression: { status: 'processing' } },
  ]);
  await Promise.all([processor.ensureIndexes(), processor.ensureIndexes()]);
  expect(await names()).toEqual(needed);
  expect(needed).toContain('claimAll');
});
