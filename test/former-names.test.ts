import { expect, test } from 'vitest';
import type { FormerNames } from '../src/former-names.js';
import { useDatabase } from './database.js';
import { echo } from './jobs.js';

const database = useDatabase();

test('what a user of the last version calls does what the groups do', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const id = await processor.addJob('echo', {});
  const item = await processor.addScheduler({ type: 'Delay', delay: '1h', jobName: 'echo', input: {} });
  await processor.pauseQueue('mail');
  const { jobs, factories, queues, workers, statistics, schedules } = processor;

  const pairs: Record<Exclude<keyof FormerNames, Group>, [former: unknown, now: unknown]> = {
    listJobs: [await processor.listJobs({ limit: 1 }), await jobs.list({ limit: 1 })],
    getJobLog: [await processor.getJobLog(id), await jobs.log(id)],
    countJobs: [await processor.countJobs(), await jobs.count()],
    countReadyJobs: [await processor.countReadyJobs(1), await jobs.countReady(1)],
    getOldestWaitingJobs: [
      (await processor.getOldestWaitingJobs()).length,
      (await jobs.oldestWaiting()).length,
    ],
    listJobFactories: [await processor.listJobFactories(), await factories.list()],
    getJobFactory: [await processor.getJobFactory('echo'), await factories.get('echo')],
    getJobNames: [await processor.getJobNames(), await factories.names()],
    listQueues: [await processor.listQueues(), await queues.list()],
    getQueues: [await processor.getQueues(), (await queues.list()).queues],
    pauseQueue: [await processor.pauseQueue('mail'), await queues.pause('mail')],
    resumeQueue: [await processor.resumeQueue('mail'), await queues.resume('mail')],
    listWorkers: [await processor.listWorkers(), await workers.list()],
    getWorkers: [await processor.getWorkers(), (await workers.list()).workers],
    countWorkers: [await processor.countWorkers(), await workers.count()],
    getStatistics: [(await processor.getStatistics({ step: '1m' })).length, 60],
    listSchedulers: [await processor.listSchedulers(), await schedules.list()],
    getNextSchedulers: [await processor.getNextSchedulers(1), await schedules.next(1)],
    runNow: [await processor.runNow(item, { jobId: 'one' }), await schedules.runNow(item, { jobId: 'one' })],
    preview: [(await processor.preview(item, 3)).length, (await schedules.preview(item, 3)).length],
  };

  for (const [name, [former, now]] of Object.entries(pairs)) expect([name, former]).toEqual([name, now]);
  expect((await statistics.get()).length).toBe(60);
});

type Group = 'jobs' | 'factories' | 'queues' | 'workers' | 'statistics' | 'schedules';
