import type { LocalProcessor } from '../../local/processor.js';
import { connectedCollections } from '../../src/collections/connected-collections.js';
import { doOnce } from '../../src/idempotency/do-once.js';
import { type ClaimedJob, ConflictError, NotFoundError } from '../../src/index.js';
import { countWrongKey } from '../../src/sign-in/count-wrong-key.js';
import { endSession } from '../../src/sign-in/end-session.js';
import { isSessionEnded } from '../../src/sign-in/is-session-ended.js';
import { plainCalls } from '../plain-calls.js';

type Call = (processor: LocalProcessor) => Promise<unknown>;

/** The ids of the application's documents in `application.ts`. */
const jobIds = ['queued', 'due', 'ours by name', 'cancelled', 'error', 'completed'];
const itemIds = ['due', 'off'];
const limitKeys = ['import', 'export'];

/** Makes a call with each id. Fails with the first error, once all calls are done. */
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

function unlessNothingStops(error: unknown): void {
  if (!(error instanceof ConflictError)) throw error;
}

function unlessUnknown(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}

/** Every method of a processor and of its groups, called with the ids of the application's documents. */
export const calls: Readonly<Record<string, Call>> = {
  ...plainCalls,
  addJob: (processor) => withEach(jobIds, (id) => processor.addJob('echo', {}, { id })),
  addJobs: (processor) =>
    withEach(jobIds, (id) => processor.addJobs([{ name: 'echo', input: {}, options: { id } }])),
  'jobs.add': (processor) =>
    withEach(jobIds, (id) => processor.jobs.add('echo', {}, { id, unique: { key: id, mode: 'replace' } })),
  'jobs.addMany': (processor) =>
    withEach(jobIds, (id) =>
      processor.jobs.addMany([{ name: 'echo', input: {}, options: { id, uniqueKey: id } }]),
    ),
  updateJob: (processor) => withEach(jobIds, (id) => processor.updateJob(id, { priority: 9 })),
  getJob: (processor) => processor.getJob('queued'),
  'factories.masked': async (processor) => processor.factories.masked((await processor.jobs.list()).jobs),
  waitFor: (processor) => processor.waitFor('queued', { timeout: 0 }),
  getJobStatus: (processor) => processor.getJobStatus('queued'),
  getJobResult: (processor) => processor.getJobResult('completed'),
  getJobErrors: (processor) => processor.getJobErrors('error'),
  'jobs.log': (processor) => processor.jobs.log('error'),
  addBatch: (processor) => processor.addBatch([{ name: 'echo', input: {} }], { id: 'batch' }),
  addWorkflow: (processor) => processor.addWorkflow({ id: 'w', jobs: { one: { name: 'echo', input: {} } } }),
  'batches.get': (processor) => processor.batches.get('batch'),
  'batches.results': (processor) => processor.batches.results('batch'),
  'batches.listResults': (processor) => processor.batches.listResults('batch'),
  'batches.failures': (processor) => processor.batches.failures('batch'),
  'batches.cancel': (processor) => processor.batches.cancel('batch'),
  'batches.retry': (processor) => processor.batches.retry('batch'),
  'batches.remove': (processor) => processor.batches.remove('batch'),
  'workflows.get': (processor) => processor.workflows.get('w'),
  'workflows.outputs': (processor) => processor.workflows.outputs('w'),
  'workflows.listResults': (processor) => processor.workflows.listResults('w'),
  'workflows.failures': (processor) => processor.workflows.failures('w'),
  'workflows.cancel': (processor) => processor.workflows.cancel('w'),
  'workflows.retry': (processor) => processor.workflows.retry('w'),
  'workflows.remove': (processor) => processor.workflows.remove('w'),
  'jobs.children': (processor) => processor.jobs.children('error'),
  'jobs.steps': (processor) => processor.jobs.steps('error'),
  signal: (processor) => withEach(jobIds, (id) => processor.signal(id, 'paid', { amount: 1 })),
  'failures.get': (processor) => processor.failures.get('echo:1').catch(unlessUnknown),
  'operations.get': (processor) => processor.operations.get('o').catch(unlessUnknown),
  'operations.stop': (processor) => processor.operations.stop('o').catch(unlessUnknown),
  'operations.undo': (processor) => processor.operations.undo('o').catch(unlessUnknown),
  'limits.list': (processor) => processor.limits.list(),
  'limits.get': (processor) => processor.limits.get('import'),
  'limits.set': async (processor) => {
    await withEach(limitKeys, (key) => processor.limits.set(key, { max: null }));
    await withEach(limitKeys, (key) => processor.limits.set(key, { max: 1 }));
  },
  'limits.pause': (processor) => withEach(limitKeys, (key) => processor.limits.pause(key)),
  'limits.skip': (processor) => processor.limits.skip('order import').catch(unlessNothingStops),
  'limits.resume': (processor) => withEach(limitKeys, (key) => processor.limits.resume(key)),
  'queues.pause': (processor) => withEach(['default', 'mail'], (name) => processor.queues.pause(name)),
  'queues.resume': (processor) => withEach(['default', 'mail'], (name) => processor.queues.resume(name)),
  cancelJob: (processor) => withEach(jobIds, (id) => processor.cancelJob(id)),
  retryJob: (processor) => withEach(jobIds, (id) => processor.retryJob(id)),
  removeJob: (processor) => withEach(jobIds, (id) => processor.removeJob(id)),
  completeJob: (processor) => processor.completeJob(job, {}),
  failJob: (processor) => processor.failJob(job, new Error('on purpose')),
  addScheduler: (processor) => withEach(itemIds, (id) => processor.addScheduler({ ...everyMinute, id })),
  updateScheduler: (processor) => withEach(itemIds, (id) => processor.updateScheduler(id, { title: 'New' })),
  getScheduler: (processor) => processor.getScheduler('due'),
  activateScheduler: (processor) => withEach(itemIds, (id) => processor.activateScheduler(id)),
  deactivateScheduler: (processor) => withEach(itemIds, (id) => processor.deactivateScheduler(id)),
  removeScheduler: (processor) => withEach(itemIds, (id) => processor.removeScheduler(id)),
  'schedules.runNow': (processor) => withEach(itemIds, (id) => processor.schedules.runNow(id)),
  'schedules.preview': (processor) => processor.schedules.preview('due'),
  syncSchedulers: async (processor) => {
    await processor.syncSchedulers([{ ...everyMinute, id: 'declared' }]);
    await processor.syncSchedulers([{ ...everyMinute, id: 'due' }]);
  },
  scheduleDueItems: (processor) => processor.scheduleDueItems({ ahead: '1m' }),
  reScheduleItem: (processor) => withEach(itemIds, (id) => processor.reScheduleItem(id)),
};

/** The calls for the HTTP API's own collections. */
export const httpCalls: Readonly<Record<string, Call>> = {
  doOnce: async (processor) => doOnce((await processor[connectedCollections]()).idempotencyKeys, request),
  countWrongKey: async (processor) =>
    countWrongKey((await processor[connectedCollections]()).wrongKeys, 'front door'),
  endSession: async (processor) =>
    endSession((await processor[connectedCollections]()).endedSessions, 'session', new Date()),
  isSessionEnded: async (processor) =>
    isSessionEnded((await processor[connectedCollections]()).endedSessions, 'session'),
};
