import type { LocalProcessor } from '../../local/processor.js';
import type { ClaimedJob, RemoteProcessor } from '../../src/index.js';
import { echo } from '../jobs.js';

type Call = (processor: LocalProcessor) => Promise<unknown>;

/** The ids of an application's own documents of `application.ts`. */
const jobIds = ['queued', 'due', 'ours by name', 'cancelled', 'error', 'completed'];
const itemIds = ['due', 'off'];

/** A call with each id; it fails with the error of the first that fails, once all are done. */
function withEach(ids: readonly string[], call: (id: string) => Promise<unknown>): Promise<unknown> {
  return ids.reduce<Promise<unknown>>(async (before, id) => {
    const error = await before.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    await call(id);
    if (error !== undefined) throw error;
  }, Promise.resolve());
}

const now = new Date();
const job: ClaimedJob = {
  ...{ id: 'queued', jobName: 'echo', queue: 'default', priority: 0, status: 'processing', token: 't' },
  ...{ runAt: now, created: now, queued: now, picked: now, started: now, input: {}, errors: [] },
  ...{ retryCounter: 1, givenBackCounter: 0, maxRetries: 3, retryDelay: null },
};
const everyMinute = { type: 'Cron', cron: '* * * * *', jobName: 'echo', input: {}, active: true } as const;
const request = {
  ...{ owner: 'o', key: 'k', requestHash: 'h', jobCount: 1 },
  changedNothing: () => false,
  work: async () => 'reply',
};

/** Every method of a processor, called for what an application has. */
export const calls: Readonly<Record<Exclude<keyof RemoteProcessor, Settings>, Call>> = {
  ensureIndexes: (processor) => processor.ensureIndexes(),
  addJobFactory: (processor) => processor.addJobFactory(echo),
  addJobFactories: (processor) => processor.addJobFactories([echo]),
  listJobFactories: (processor) => processor.listJobFactories(),
  getJobFactories: (processor) => processor.getJobFactories(),
  getJobFactory: (processor) => processor.getJobFactory('echo'),
  getJobNames: (processor) => processor.getJobNames(),
  addJob: (processor) => withEach(jobIds, (id) => processor.addJob('echo', {}, { id })),
  addJobs: (processor) =>
    withEach(jobIds, (id) => processor.addJobs([{ name: 'echo', input: {}, options: { id } }])),
  updateJob: (processor) => withEach(jobIds, (id) => processor.updateJob(id, { priority: 9 })),
  getJob: (processor) => processor.getJob('queued'),
  listJobs: (processor) => processor.listJobs(),
  getJobs: (processor) => processor.getJobs(),
  getJobStatus: (processor) => processor.getJobStatus('queued'),
  getJobResult: (processor) => processor.getJobResult('completed'),
  getJobErrors: (processor) => processor.getJobErrors('error'),
  getJobLog: (processor) => processor.getJobLog('error'),
  getOldestWaitingJobs: (processor) => processor.getOldestWaitingJobs(),
  countReadyJobs: (processor) => processor.countReadyJobs(),
  countJobs: (processor) => processor.countJobs(),
  listQueues: (processor) => processor.listQueues(),
  getQueues: (processor) => processor.getQueues(),
  pauseQueue: (processor) => withEach(['default', 'mail'], (name) => processor.pauseQueue(name)),
  resumeQueue: (processor) => withEach(['default', 'mail'], (name) => processor.resumeQueue(name)),
  listWorkers: (processor) => processor.listWorkers(),
  getWorkers: (processor) => processor.getWorkers(),
  countWorkers: (processor) => processor.countWorkers(),
  getStatistics: (processor) => processor.getStatistics(),
  cancelJob: (processor) => withEach(jobIds, (id) => processor.cancelJob(id)),
  retryJob: (processor) => withEach(jobIds, (id) => processor.retryJob(id)),
  removeJobs: (processor) => processor.removeJobs(),
  removeJob: (processor) => withEach(jobIds, (id) => processor.removeJob(id)),
  pullNextJob: (processor) => processor.pullNextJob(),
  completeJob: (processor) => processor.completeJob(job, {}),
  failJob: (processor) => processor.failJob(job, new Error('on purpose')),
  processNextJob: (processor) => processor.processNextJob(),
  processJobs: (processor) => processor.processJobs(),
  drain: (processor) => processor.drain(),
  recoverJobs: (processor) => processor.recoverJobs(),
  addScheduler: (processor) => withEach(itemIds, (id) => processor.addScheduler({ ...everyMinute, id })),
  updateScheduler: (processor) => withEach(itemIds, (id) => processor.updateScheduler(id, { title: 'New' })),
  getScheduler: (processor) => processor.getScheduler('due'),
  listSchedulers: (processor) => processor.listSchedulers(),
  getSchedulers: (processor) => processor.getSchedulers(),
  getNextSchedulers: (processor) => processor.getNextSchedulers(),
  activateScheduler: (processor) => withEach(itemIds, (id) => processor.activateScheduler(id)),
  deactivateScheduler: (processor) => withEach(itemIds, (id) => processor.deactivateScheduler(id)),
  removeScheduler: (processor) => withEach(itemIds, (id) => processor.removeScheduler(id)),
  runNow: (processor) => withEach(itemIds, (id) => processor.runNow(id)),
  preview: (processor) => processor.preview('due'),
  syncSchedulers: async (processor) => {
    await processor.syncSchedulers([{ ...everyMinute, id: 'declared' }]);
    await processor.syncSchedulers([{ ...everyMinute, id: 'due' }]);
  },
  scheduleNextJob: (processor) => processor.scheduleNextJob(),
  scheduleDueItems: (processor) => processor.scheduleDueItems({ ahead: '1m' }),
  reScheduleItem: (processor) => withEach(itemIds, (id) => processor.reScheduleItem(id)),
  reScheduleItems: (processor) => processor.reScheduleItems(),
  doOnce: (processor) => processor.doOnce(request),
  countWrongKey: (processor) => processor.countWrongKey('front door'),
  endSession: (processor) => processor.endSession('session', new Date()),
  isSessionEnded: (processor) => processor.isSessionEnded('session'),
};

/** They ask the database nothing. */
type Settings = 'name' | 'maxThreads' | 'collectionPrefix' | 'kick' | 'on';
