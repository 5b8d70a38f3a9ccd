import type { CommandStartedEvent, Document } from 'mongodb';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { awaitMajority } from '../../local/cli/database/await-majority.js';
import { findTakenIds } from '../../local/cli/database/find-taken-ids.js';
import { openCollections } from '../../src/collections/collections.js';
import { findForeignDocuments } from '../../src/collections/find-foreign-documents.js';
import { findLeftBehind } from '../../src/collections/find-left-behind.js';
import { Events } from '../../src/events.js';
import { Breakers } from '../../src/flow/breakers.js';
import { Gate } from '../../src/flow/gate.js';
import { LimitSettings } from '../../src/flow/limit-settings.js';
import { Lines } from '../../src/flow/lines.js';
import { doOnce } from '../../src/idempotency/do-once.js';
import { type ClaimedJob, defineJob, IndexConflictError, resultOf } from '../../src/index.js';
import { claimAlike } from '../../src/job/claim-alike.js';
import { claimJobAlone } from '../../src/job/claim-job-alone.js';
import { claimJobs } from '../../src/job/claim-jobs.js';
import { findDueSoon } from '../../src/job/find-next-due.js';
import { byJobName } from '../../src/job/indexes.js';
import { jobStatuses } from '../../src/job/job.js';
import { recordReports } from '../../src/job/record-reports.js';
import { renewLeases } from '../../src/job/renew-leases.js';
import { findLost, replaceMany } from '../../src/job/replace-many.js';
import { settleInSession, settleJobs } from '../../src/job/settle-jobs.js';
import { sweepPages } from '../../src/job/step-pages.js';
import { findDueJobName } from '../../src/scheduler/find-due-items.js';
import { countWrongKey } from '../../src/sign-in/count-wrong-key.js';
import { endSession } from '../../src/sign-in/end-session.js';
import { isSessionEnded } from '../../src/sign-in/is-session-ended.js';
import { rollUpHours } from '../../src/statistics/roll-up-hours.js';
import { findCallback } from '../../src/step/find-callback.js';
import { registerWorker, unregisterWorker } from '../../src/worker/register-worker.js';
import { collectionNames, collectionNamesOf } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo, failing, flaky } from '../jobs.js';
import { CalledSites, callsInSource } from './call-sites.js';
import { faultsOf, type PlanFault } from './plan-faults.js';

const database = useDatabase({ monitorCommands: true });

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
  'maxTimeMS',
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

/**
 * Not called here, since it takes a person who begins a job of an item ahead of its time, or a document of somebody else;
 * they are by `_id` alone.
 */
const byIdAlone = [
  'src/scheduler/point-to-found-jobs.ts updateOne',
  'src/queue/pause-queue.ts findOne',
  'src/flow/change-setting.ts findOne',
];

/** A job with so many steps that they need a page, with a transaction, that is suspended, and goes on by a signal. */
async function callSteps(): Promise<void> {
  const { jobs, jobSteps } = database.collections();
  const processor = database.processor();
  const job = defineJob({
    name: 'stepped',
    run: async ({ step }) => {
      for (let n = 0; n <= 100; n += 1) await step.run(`step ${n}`, () => n);
      await step.transaction('transaction', () => 1);
      await step.waitForSignal('go on');
    },
  });
  await processor.addJobFactory(job);
  await processor.addJob(job, undefined, { id: 'stepped' });
  await processor.drain();
  await findCallback(database.collections(), { jobId: 'stepped', run: 1, step: 'step 1' });
  await processor.signal('stepped', 'go on', 1, { signalId: 'once' });
  await processor.signal('stepped', 'go on', 1, { signalId: 'once' });
  await processor.drain();
  await processor.jobs.steps('stepped');
  await database.client.withSession((session) =>
    session.withTransaction(async () => {
      const gone = { id: 'gone', token: 't', outcome: { kind: 'snoozed', delayMs: 1 } } as const;
      await settleInSession(jobs, gone, session);
    }),
  );
  await jobSteps.updateMany({ checkAt: { $gte: new Date(0) } }, { $set: { checkAt: new Date(1) } });
  await sweepPages(jobs, jobSteps);
}

/** Calls everything that makes a statement for jobs that wait for others. */
async function callGroups(): Promise<void> {
  const { jobs, jobGroups } = database.collections();
  const processor = database.processor();
  const child = defineJob({
    name: 'child',
    input: z.number(),
    maxRetries: 1,
    concurrency: { limit: 5 },
    run: ({ input }) => {
      if (input < 0) throw new Error('on purpose');
      return input;
    },
  });
  const parent = defineJob({
    name: 'parent',
    input: z.enum(['fail', 'cancel', 'collect']),
    maxRetries: 1,
    run: async ({ input, step }) => {
      const results = await step.fanOut('children', child, [1, -1, 2], { onError: input, concurrency: 2 });
      return results.outputs();
    },
  });
  const ordered = defineJob({ name: 'ordered', ordering: {}, run: () => {} });
  const robbed = defineJob({
    name: 'robbed',
    maxRetries: 1,
    run: async ({ step, jobId }) => {
      await step.invoke('child', child, 1);
      await step.invoke('ordered', ordered);
      await jobs.updateOne({ _id: jobId }, { $set: { 'lease.token': 'of another' } });
    },
  });
  await processor.addJobFactories([child, parent, robbed, ordered]);
  for (const id of ['fail', 'cancel', 'collect'] as const) await processor.addJob(parent, id, { id });
  await processor.addJob(robbed);
  await processor.drain();
  await processor.addJob(parent, 'fail', { id: 'open' });
  await processor.processNextJob();
  await jobs.updateOne({ _id: 'open' }, { $set: { status: 'error', completed: new Date() } });
  const { jobs: children } = await processor.jobs.children('open');
  for (const { id } of children) await processor.cancelJob(id);
  for (const { id } of children) await processor.retryJob(id).catch(() => {});
  await processor.jobs.children('collect');
  await processor.jobs.children('collect', { status: 'error' });
  await processor.retryJob('fail');
  await processor.drain();
  const checkAll = async () => {
    await jobGroups.updateMany({ checkAt: { $gte: new Date(0) } }, { $set: { checkAt: new Date(1) } });
    await processor.recoverJobs();
  };
  await jobs.updateOne(
    { _id: children[0]?.id ?? '' },
    { $set: { status: 'queued' }, $unset: { completed: '', cancelRequested: '' } },
  );
  await checkAll();
  await jobs.deleteOne({ _id: 'fail' });
  await processor.removeJob('collect');
  await checkAll();
  const load = [1, -1].map((input) => ({ job: child, input }));
  for (const id of ['b', 'c']) await processor.addBatch(load, { id, then: { job: child, input: 3 } });
  await processor.batches.cancel('c');
  await processor.batches.remove('b').catch(() => {});
  await processor.addBatch(load, { id: 'd' });
  await jobGroups.updateOne({ _id: 'batch d' }, { $set: { closed: new Date() } });
  await checkAll();
  await processor.jobs.cancelMany({ status: 'queued', jobName: 'child' });
  await processor.batches.retry('b');
  await processor.drain();
  await processor.batches.retry('b');
  await processor.addBatch([{ job: parent, input: 'collect' }], { id: 'of parents' });
  await processor.drain();
  await processor.batches.remove('of parents');
  const one = { job: child, input: 1 };
  await processor.addWorkflow({
    id: 'w',
    jobs: {
      one: { ...one, input: -1 },
      two: { ...one, after: ['one'] },
      three: { ...one, input: resultOf<number>('one'), when: 'settled' },
    },
  });
  await processor.addWorkflow({ id: 'v', jobs: { one, two: { ...one, input: resultOf<number>('one') } } });
  await processor.drain();
  await processor.addWorkflow({
    id: 'u',
    jobs: { one, other: one, last: { ...one, after: ['one', 'other'], when: 'settled' } },
  });
  for (const name of ['one', 'other']) await processor.cancelJob(`u.${name}`);
  await processor.workflows.outputs('w');
  await processor.workflows.cancel('w');
  await processor.retryJob('w.two');
  await processor.batches.results('b').then((results) => results.outputs());
  await processor.batches.listResults('b', { status: 'completed' });
  await processor.batches.failures('b');
  await processor.workflows.listResults('w');
  await processor.batches.list();
  await processor.workflows.list();
  await processor.addBatch([], { id: 'empty' });
  await processor.batches.remove('empty');
  await checkAll();
  await jobGroups.updateMany({ checkAt: { $gte: new Date(0) } }, { $set: { expires: new Date(1) } });
  await checkAll();
  await jobs.deleteMany({ jobName: { $in: ['child', 'parent', 'robbed', 'ordered'] } });
}

/** Calls everything that makes a statement, so that each is made at least once. */
/** Calls everything that makes a statement for groups of failures, and for operations on many jobs. */
async function callOperations(): Promise<void> {
  const { jobs, operations, operationSlices } = database.collections();
  const processor = database.processor();
  await processor.addJobFactories([failing, echo]);
  await processor.addJob('failing', undefined, { id: 'of an operation', uniqueKey: 'of an operation' });
  await processor.addBatch([{ name: 'echo', input: {} }], { id: 'of an operation' });
  await processor.drain();
  const { failures } = await processor.failures.list({ since: '1h' });
  await processor.failures.list({ jobName: 'failing', limit: 1 });
  const key = failures[0]?.key ?? '';
  await processor.failures.get(key);
  await processor.jobs.list({ failureKey: key, limit: 1 });
  const { id } = await processor.operations.start({ action: 'retry', filter: { failureKey: key } });
  await processor.operations.list({ limit: 1 });
  await processor.operations.undo(id);
  await processor.operations.stop(id).catch(() => {});
  // As if a process had died after it wrote down the slice.
  const slice = await operationSlices.findOne({ _id: `${id}.000000` }, { hint: { _id: 1 } });
  await operations.updateOne(
    { _id: id },
    [{ $set: { state: 'running', slices: 0, due: '$$NOW', endedBefore: '$$NOW' } }, { $unset: 'cursor' }],
    { hint: { _id: 1 } },
  );
  if (!slice) throw new Error('There was nothing to retry.');
  await jobs.updateOne({ _id: 'of an operation' }, { $unset: { operation: 1 } }, { hint: { _id: 1 } });
  await processor.scheduleDueItems();
  await processor.operations.start({ action: 'remove', filter: { status: 'completed', jobName: 'failing' } });
  await processor.addBatch([{ name: 'echo', input: {}, options: { delay: '1h' } }], {
    id: 'cancelled by one',
  });
  await processor.operations.start({ action: 'cancel', filter: { jobName: 'echo' } });
  await processor.operations.start({ action: 'remove', filter: { status: 'error', jobName: 'failing' } });
}

/** Calls everything that makes a statement for what people did. */
async function callAudit(): Promise<void> {
  const { audit } = database.processor();
  await audit.record({ who: 'ann', action: 'retryJob', targets: ['job:7', 'job:8'] });
  for (const filter of [{}, { who: 'ann' }, { target: 'job:7' }, { who: 'ann', target: 'job:7' }])
    await audit.list(filter);
  await audit.record({ who: 'ann', action: 'cancelJob', targets: ['job:7'] });
  const { cursor } = await audit.list({ target: 'job:7', limit: 1 });
  await audit.list({ target: 'job:7', limit: 1, cursor });
}

async function callEverything(): Promise<void> {
  const collections = database.collections();
  const { jobs, scheduler, workers } = collections;
  const processor = database.processor({ maxThreads: 3 });
  const limited = database.processor({ queues: ['mail', 'default'] });
  const kicking = database.processor({ kick: async () => {} });
  await kicking.addJobFactory(echo);
  const waitForLaterJob = async () => {
    const stop = new AbortController();
    await processor.addJob('echo', {}, { id: 'later', queue: 'open', delay: '1h' });
    const waiting = processor.drain({ linger: '2h', lingersAlone: true, signal: stop.signal });
    await eventually(async () => expect(await workers.findOne({ _id: 'waiting root' })).not.toBeNull());
    stop.abort();
    await waiting;
    await processor.cancelJob('later');
  };
  const makeDue = () => scheduler.updateOne({ _id: 'tick' }, { $set: { nextCallTime: new Date(1) } });
  const expireLeases = () =>
    jobs.updateMany(
      { status: 'processing', 'lease.expires': { $gt: new Date(0) } },
      { $set: { 'lease.expires': new Date(1) } },
    );

  await processor.addJobFactories([echo, failing, flaky]);
  await limited.addJobFactories([echo]);
  await processor.retryJob('nothing is known of unique keys').catch(() => {});
  await processor.addJob('echo', {}, { id: 'early', queue: 'early', delay: '1h' });
  await processor.jobs.cancelMany({ status: 'queued', queue: 'early' });
  await processor.jobs.retryMany({ status: 'cancelled', queue: 'early' });
  await processor.jobs.cancelMany({ status: 'queued', queue: 'early' });
  for (const id of ['a', 'b', 'c', 'd']) await processor.addJob('echo', { id }, { id, uniqueKey: id });
  await processor.addJob('failing', undefined, { id: 'hopeless' });
  await processor.addJob('flaky');
  await processor.addJob('echo', { id: 'a' }, { id: 'a' });
  const twice = ['e', 'f'].map((id) => ({ name: 'echo', input: {}, options: { id, uniqueKey: id } }));
  await processor.addJobs(twice);
  await processor.addJobs(twice);
  await processor.addJobs([{ name: 'echo', input: {}, options: { id: 'e' } }]);
  await processor.updateJob('a', { priority: 3 });
  await processor.cancelJob('b');
  await limited.processNextJob();
  await processor.drain();
  await processor.drain({ signal: AbortSignal.abort() });
  await processor.retryJob('hopeless');
  await processor.removeJob('b');
  await processor.jobs.log('a');
  await processor.addJobs(['g', 'h', 'i'].map((id) => ({ name: 'echo', input: {}, options: { id } })));
  const lease = { worker: 'w', leaseMs: 1000 };
  const gone = { id: 'gone', token: 't' };
  const filter = { jobNames: ['echo'] };
  await processor.addJob('echo', {}, { queue: 'batched' });
  await claimAlike(jobs, { ...filter, queues: ['batched'] }, { ...lease, token: 's' }, 2);
  await claimJobs(jobs, { ...filter, runAtFrom: new Date(1) }, { ...lease, token: 'r' }, 2);
  // Those that come second read back what they took.
  const claims = ['t', 'u', 'v', 'w'].map((token) => claimJobs(jobs, filter, { ...lease, token }, 2));
  const held = (await Promise.all(claims)).flat().map(({ id, token }) => ({ id, token }));
  const report = { progress: { told: 1, value: 0.5 } };
  await recordReports(jobs, [{ ...gone, report }]);
  await renewLeases(jobs, held, 1000, [{ ...gone, report }]);
  await renewLeases(jobs, held, 1000);
  await renewLeases(jobs, [...held, gone], 1000);
  const outcome = { kind: 'completed', output: 1, outputBytes: 16 } as const;
  const deleted = { ...gone, outcome, isDeletedWhenCompleted: true };
  await settleJobs(jobs, [deleted]);
  await settleJobs(jobs, [deleted, { ...deleted, id: 'also gone' }]);
  await settleJobs(jobs, [{ ...gone, outcome }]);
  await settleJobs(jobs, [{ ...gone, outcome }, ...held.map((job) => ({ ...job, outcome }))]);
  await processor.pullNextJob();
  await expireLeases();
  await processor.verdict();
  await processor.recoverJobs();
  await findDueSoon(jobs, filter, 60_000, 1000);
  for (const order of ['newest', 'oldest'] as const) {
    const { cursor } = await processor.jobs.list({ order, limit: 1 });
    await processor.jobs.list({ order, cursor });
    await processor.jobs.list({ order, status: 'completed', limit: 1 });
    await processor.jobs.list({ order, status: 'error' });
    await processor.jobs.list({ order, jobName: 'echo' });
    await processor.jobs.list({ order, key: 'orderId=1' });
    await processor.jobs.list({ order, key: 'orderId=1', status: 'completed', cursor });
    await processor.jobs.list({ order, queue: 'default' });
    await processor.jobs.list({ order, status: 'completed', jobName: 'echo', errorText: 'no' });
  }
  await processor.jobs.oldestWaiting();
  await processor.jobs.count();
  await callUniqueKeys();
  await callFlowControl();
  await callBreakers();
  await callSteps();
  await callGroups();
  await callOperations();
  await callAudit();
  await processor.queues.pause('default');
  await processor.addJob('echo', {}, { id: 'paused' });
  await processor.addJob('echo', {}, { id: 'open', queue: 'open' });
  await processor.queues.list();
  await processor.queues.pausedSince('default');
  await processor.jobs.oldestWaiting();
  await processor.jobs.countReady();
  await jobs.updateOne({ _id: 'open' }, { $unset: { claimable: true } }); // As an earlier version queues it.
  await processor.recoverJobs();
  await claimJobAlone(jobs, filter, { ...lease, token: 'x' });
  await processor.drain({ linger: 1 });
  await waitForLaterJob();
  await callVerdict();
  await processor.queues.resume('default');
  await processor.getJobFactories();
  await processor.factories.get('echo');
  await processor.factories.names();
  await processor.addScheduler({ type: 'Delay', jobName: 'flaky', delay: '1s', active: true, id: 'tick' });
  await processor.getSchedulers();
  await processor.schedules.next();
  await processor.getScheduler('tick');
  await processor.reScheduleItem('tick');
  await processor.reScheduleItems();
  const tick = await scheduler.findOne({ _id: 'tick' });
  const copies = Array.from({ length: 500 }, (_, n) => ({ ...tick, _id: `copy ${n}` }));
  await database.db.collection<{ _id: string }>(collectionNames.scheduler).insertMany(copies);
  await processor.reScheduleItems();
  await scheduler.deleteMany({ _id: { $in: copies.map(({ _id }) => _id) } });
  await makeDue();
  await kicking.scheduleDueItems({ ahead: '10s' });
  await processor.schedules.preview('tick');
  await processor.schedules.history('tick');
  await processor.schedules.upcoming();
  await processor.schedules.list({ text: 'ti' });
  await processor.updateScheduler('tick', { overlap: 'skip' });
  await makeDue();
  await processor.scheduleDueItems();
  await processor.deactivateScheduler('tick');
  await processor.activateScheduler('tick');
  await processor.schedules.runNow('tick');
  await processor.scheduleNextJob();
  // As it asks when another transaction holds some items.
  for (const those of [{ except: ['a', 'b'] }, { only: ['a', 'b'] }])
    await findDueJobName(scheduler, { ...those, aheadMs: 10_000, limit: 500 });
  const declared = { type: 'Delay', delay: '1s', jobName: 'flaky', id: 'declared' } as const;
  await processor.syncSchedulers([declared]);
  await database.db.collection<{ _id: string }>(collectionNames.scheduler).insertOne({ _id: 'foreign' });
  await processor.syncSchedulers([declared, { ...declared, id: 'foreign' }]);
  await processor.syncSchedulers([{ ...declared, title: 'New' }]);
  await processor.syncSchedulers([]);
  await processor.removeScheduler('tick');
  await processor.workers.list();
  await processor.workers.running();
  await processor.workers.count();
  await processor.marks.add({ text: 'v42' });
  await processor.marks.list();
  await processor.statistics.get();
  await processor.statistics.get({ jobName: 'echo' });
  await processor.statistics.waits();
  await database.collections().statistics.insertOne({
    ...{ _id: new Date(0), total: { completed: 1 }, written: new Date(), expireAt: new Date() },
  });
  await rollUpHours(database.collections(), Date.now());
  await processor.statistics.waits({ since: '1d' });
  await processor.statistics.range({ range: '24h' });
  await processor.statistics.range({ range: '24h', jobName: 'echo' });
  await processor.statistics.kinds({ range: '24h' });
  await awaitMajority(collections.workers);
  await findTakenIds(jobs, ['a']);
  await openCollections(database.db, '').queues.insertOne({ _id: 'mail', paused: new Date() });
  const jobOfBefore = { _id: 'before', jobName: 'echo', status: 'completed', retryCounter: 1 };
  await openCollections(database.db, '').jobs.createIndex(byJobName.key, { name: byJobName.name });
  await database.db.collection<{ _id: string }>('jobs').insertOne(jobOfBefore);
  await findLeftBehind(collections);
  await findForeignDocuments(collections, 5_000);
  await registerWorker(collections.workers, { _id: 'w', processor: 'p', maxThreads: 1 }, 1000);
  await unregisterWorker(collections.workers, 'w');
  await countWrongKey(collections.wrongKeys, 'address');
  await endSession(collections.endedSessions, 'session', new Date());
  await isSessionEnded(collections.endedSessions, 'session');
  const request = { owner: 'o', key: 'k', requestHash: 'h', jobCount: 1, changedNothing: () => false };
  const fail = () => Promise.reject(new Error('on purpose'));
  await doOnce(collections.idempotencyKeys, { ...request, work: async () => 'reply' });
  await doOnce(collections.idempotencyKeys, { ...request, key: 'l', work: fail }).catch(() => {});
  await doOnce(collections.idempotencyKeys, {
    ...request,
    key: 'm',
    work: fail,
    changedNothing: () => true,
  }).catch(() => {});
  // More than are counted; some of them can be removed.
  const many = Array.from({ length: 10_001 }, (_, n) => ({
    _id: `${n}`,
    status: 'cancelled',
    ...(n < 3 && { created: new Date(1) }),
  }));
  await database.db.collection<{ _id: string }>(collectionNames.jobs).insertMany(many);
  await processor.jobs.count();
  await processor.removeJobs();
  await processor.removeJobs(['completed'], { olderThan: '1 day' });
}

/** Calls everything that makes a statement for unique keys that are taken. */
async function callUniqueKeys(): Promise<void> {
  const { jobs } = database.collections();
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactory('keyed', echo);
  const unique = { key: 'taken', mode: 'replace', until: 'claimed' } as const;
  const id = await processor.addJob('keyed', {}, { unique });
  await processor.addJobs([{ name: 'keyed', input: { n: 2 }, options: { unique } }]);
  await processor.pullNextJob();
  await database.client.withSession((session) =>
    session.withTransaction(() => processor.addJob('keyed', { n: 3 }, { unique, session })),
  );
  const holder = { _id: id, jobName: 'keyed', status: 'queued' } as const;
  const job = { id: 'late', jobName: 'keyed', uniqueKey: 'taken', input: {}, runAt: 0 } as const;
  const defaults = { queue: 'default', priority: 0, maxRetries: 1, retryDelay: 0 } as const;
  await replaceMany(jobs, [{ job: { ...job, ...defaults }, holder }], undefined);
  await findLost(jobs, [{ job: { ...job, ...defaults }, holder: { ...holder, limits: [] } }], undefined);
  await jobs.deleteMany({ jobName: { $in: ['keyed'] } });
}

/** Calls everything that makes a statement for limits. */
async function callFlowControl(): Promise<void> {
  const { jobs, limits } = database.collections();
  const rateLimit = { limit: 1000, period: '1s', burst: 1000 } as const;
  const input = z.object({ key: z.string() });
  const job = defineJob({
    name: 'limited',
    input,
    concurrency: [{ key: 'key', limit: 1 }, { limit: 2 }],
    rateLimit,
    run: async () => {},
  });
  const single = defineJob({ name: 'single', input, concurrency: { limit: 1 }, run: async () => {} });
  const inOrder = defineJob({ name: 'inOrder', input, ordering: { key: 'key' }, run: async () => {} });
  const inTurn = defineJob({ name: 'inTurn', input, fairness: { key: 'key' }, run: async () => {} });
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactories([job, single, inOrder, inTurn]);
  await processor.limits.skip('order nothing').catch(() => {});
  await processor.addJobs(
    Array.from({ length: 4 }, (_, n) => ({ job: n % 2 ? inOrder : inTurn, input: { key: 'a' } })),
  );
  await processor.addJobs(['a', 'b'].map((key) => ({ job: inOrder, input: { key } })));
  for (const key of ['a', 'a', 'b', 'c']) await processor.addJob(job, { key });
  for (const key of ['a', 'a', 'a']) await processor.addJob(single, { key });
  const held: ClaimedJob[] = [];
  for (let next = await processor.pullNextJob(); next; next = await processor.pullNextJob()) held.push(next);
  await processor.jobs.cancelMany({ status: 'queued', jobName: 'single' }, { limit: 1 });
  await processor.limits.list();
  await processor.limits.set('unused', { max: 5 });
  await processor.limits.set('unused', { max: null });
  await processor.limits.set('limited', { max: 5 });
  await processor.limits.list({ order: 'fullest' });
  await processor.limits.get('limited=a');
  await processor.limits.set('limited', { max: null });
  await limits.updateMany({ next: { $gt: new Date(0) } }, { $set: { next: new Date(1) } });
  await processor.recoverJobs();
  for (const each of held) await processor.completeJob(each);
  const settings = new LimitSettings(limits);
  const events = new Events(silent);
  const lines = new Lines({
    collections: database.collections(),
    rulesOf: () => job.flow,
    pausedQueues: async () => [],
    settings,
    leaseMs: 1000,
    events,
  });
  const gate = new Gate({
    takesTurns: () => true,
    collections: database.collections(),
    factory: () => job,
    lines,
    settings,
    breakers: new Breakers({
      collections: database.collections(),
      rulesOf: () => undefined,
      leaseMs: 1000,
      events,
      log: silent,
    }),
    events,
    log: silent,
  });
  const [lost] = held;
  if (lost) await gate.admit([{ ...lost, slots: [] }], 1, async () => {});
  await gate.giveTurns(1);
  if (lost) await gate.slowDown(lost, 1);
  await processor.drain();
  await jobs.deleteMany({ jobName: { $in: ['limited', 'single', 'inOrder', 'inTurn'] } });
}

/** Calls everything that makes a statement for the verdict. */
async function callVerdict(): Promise<void> {
  const { failures, statistics } = database.collections();
  const now = new Date();
  const key = 'failing:of the verdict';
  const group = { jobName: 'failing', message: 'no', sample: 'no', count: 9, firstSeen: now, lastSeen: now };
  await failures.insertOne({ ...group, _id: key, hours: [], expireAt: now });
  const names = { _failing: { errors: 9 } };
  const _id = new Date(now.getTime() - 1);
  await statistics.insertOne({ _id, names, written: now, expireAt: new Date(now.getTime() + 60_000) });
  await database.processor({ alerts: { url: 'http://127.0.0.1:1' } }).tellVerdict(); // The first look tells nothing.
  await statistics.deleteOne({ _id });
  await failures.deleteOne({ _id: key });
}

/** Calls everything that makes a statement for circuit breakers. */
async function callBreakers(): Promise<void> {
  const { jobs, limits } = database.collections();
  const job = defineJob({
    name: 'broken',
    retryDelay: 0,
    maxRetries: 100,
    circuitBreaker: { failures: 1, within: '1m', pause: '1m' },
    run: () => Promise.reject(new Error('down')),
  });
  const worker = async () => {
    const processor = database.processor({ maxThreads: 3 });
    await processor.addJobFactory(job);
    return processor;
  };
  const pass = () => limits.updateOne({ _id: 'breaker broken' }, { $set: { probeAt: new Date(1) } });
  const processor = await worker();
  await processor.addJobs(Array.from({ length: 5 }, () => ({ job })));
  await processor.processNextJob();
  await pass();
  const trying = await worker();
  const tried = await trying.pullNextJob();
  await pass();
  await (await worker()).drain(); // It runs still.
  if (tried) await trying.failJob(tried, new Error('down'));
  await pass();
  const closing = await worker();
  const last = await closing.pullNextJob();
  if (last) await closing.completeJob(last);
  await processor.limits.list({ order: 'fullest' });
  await processor.limits.resume('breaker broken');
  await jobs.deleteMany({ jobName: { $in: ['broken'] } });
}

const isStatus: ReadonlySet<unknown> = new Set(jobStatuses);

/** A statement without what differs between two of a kind; a status stays, for it tells which partial indexes serve. */
function shapeOf(search: Document): string {
  const [name = ''] = Object.keys(search);
  const shape = JSON.stringify(search, (key, value) => {
    if (value instanceof Map) return Object.fromEntries(value);
    if (typeof value !== 'string' || key === name || isStatus.has(value)) return value;
    return value.startsWith('$') ? value : '…';
  });
  return shape.replaceAll(/"(…",)+"…"/g, '"…"');
}

/** What is read whole, or sorted, and may be: as statements, by how they begin. */
const exceptions: readonly (readonly [fault: PlanFault, statement: string, because: string])[] = [
  [
    'whole index',
    `{"find":"${collectionNames.queues}","filter":{}`,
    'there are as many paused queues as people paused',
  ],
  [
    'whole index',
    `{"find":"${collectionNames.jobFactories}","filter":{}`,
    'there are as many kinds of jobs as were programmed',
  ],
  [
    'whole index',
    `{"find":"${collectionNames.jobs}","filter":{},"projection":{"_id":1},"hint":{"_id":1},"limit":1`,
    'of the first one, whichever it is',
  ],
  [
    'SORT',
    `{"find":"${collectionNames.workers}","filter":{"started"`,
    'of the workers that live now, by when they began',
  ],
  [
    'whole index',
    `{"aggregate":"${collectionNames.jobs}","pipeline":[{"$match":{"status":"queued","claimable":null,"retryCounter":{"$gte":0},"runAlone":null}},{"$limit":1}`,
    'of paused queues, beside whether there is a job to be recovered',
  ],
  [
    'SORT',
    `{"aggregate":"${collectionNames.jobs}","pipeline":[{"$match":{"status":"queued","claimable":true,"queue":{"$gt":"…"}}},{"$sort":{"queue":1}},{"$limit":`,
    'of the queues of a page, once their jobs are counted',
  ],
  [
    'SORT',
    `{"aggregate":"${collectionNames.jobs}","pipeline":[{"$match":{"status":"processing","retryCounter":{"$gte":0},"lease.expires":{"$gte":"…"},"$expr":{"$lte":["$lease.expires","$$NOW"]}}},`,
    'of the jobs whose workers were lost, and of paused queues',
  ],
  ...[...Object.values(collectionNames), ...Object.values(collectionNamesOf(''))].map(
    (name) =>
      [
        'COLLSCAN',
        `{"aggregate":"${name}","pipeline":[{"$limit":1000},{"$match":{"$nor":`,
        'of the first and the last thousand documents, of which some may be somebody else’s',
      ] as const,
  ),
  ...Object.values(collectionNames).map(
    (name) =>
      [
        'COLLSCAN',
        `{"find":"${name}","filter":{"$nor":`,
        'at a deployment, for some seconds, for documents that are somebody else’s',
      ] as const,
  ),
  ...(['jobs', 'jobFactories', 'scheduler', 'queues'] as const).map(
    (name) =>
      [
        'COLLSCAN',
        `{"aggregate":"${collectionNamesOf('')[name]}","pipeline":[{"$limit":100}`,
        'of a hundred documents that an earlier version may have left behind',
      ] as const,
  ),
  [
    'COLLSCAN',
    `{"count":"${collectionNames.jobs}"`,
    'MongoDB answers a count without a condition from what it keeps of a collection',
  ],
];

function isException(fault: PlanFault, shape: string): boolean {
  return exceptions.some(([other, statement]) => other === fault && shape.startsWith(statement));
}

/** A scan between two ends of an index is bounded by them, though `explain` shows no interval. */
function faultsIn(search: Document, plan: Document): readonly PlanFault[] {
  const hasEnds = search.min !== undefined || search.max !== undefined;
  return [...faultsOf(plan)].filter((fault) => fault !== 'whole index' || !hasEnds);
}

test('every statement is served by an index, within bounds, and in order', async () => {
  await database.processor().ensureIndexes({ byQueue: true });
  const sites = new CalledSites();
  const commands = await database.commandsDuring(callEverything).finally(() => sites.stop());
  // A new statement has to be called above: so none is left out of what follows.
  const expected = callsInSource();
  for (const call of byIdAlone) expect(expected.delete(call)).toBe(true);
  expect(sites.calls).toEqual(expected);

  const names: unknown[] = [...Object.values(collectionNames), ...Object.values(collectionNamesOf(''))];
  const elsewhere = commands.filter(
    ({ commandName, command }) =>
      typeof command[commandName] === 'string' && !names.includes(command[commandName]),
  );
  expect(elsewhere.map(({ command }) => command)).toEqual([]);
  const joined = JSON.stringify(commands.map(({ command }) => command)).matchAll(
    /"(?:coll|from|into)":"([^"]*)"/g,
  );
  expect(new Set([...joined].map(([, name]) => name))).toEqual(
    new Set([
      collectionNames.queues,
      collectionNames.limits,
      collectionNames.jobs,
      collectionNames.jobGroups,
      collectionNames.operations,
    ]),
  );

  const isRead = ({ commandName }: CommandStartedEvent) =>
    ['find', 'aggregate', 'distinct'].includes(commandName);
  const unlimited = commands.filter((event) => isRead(event) && event.command.maxTimeMS === undefined);
  expect(unlimited.map(({ command }) => command)).toEqual([]);

  const byShape = new Map(commands.flatMap(searches).map((search) => [shapeOf(search), search]));
  const faults: string[] = [];
  for (const [shape, search] of byShape) {
    const plan = await database.db.command({ explain: search, verbosity: 'queryPlanner' });
    const found = faultsIn(search, plan).filter((fault) => !isException(fault, shape));
    faults.push(...found.map((fault) => `${fault}: ${shape}`));
  }
  expect(faults).toEqual([]);
  expect(byShape.size).toBeGreaterThan(60);
});

test('indexes of earlier versions are dropped once those that took their place are there', async () => {
  const processor = database.processor();
  const jobs = database.db.collection(collectionNames.jobs);
  const names = async () => (await jobs.indexes()).map(({ name }) => name).sort();
  const needed = await names();
  await jobs.dropIndex('claimable');
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
  expect(needed).toContain('claimable');
});

test('so are those of other collections that made documents expire, and none of somebody else', async () => {
  const processor = database.processor();
  const of = (key: keyof typeof collectionNames) => database.db.collection(collectionNames[key]);
  const expireAt = { name: 'expireAt', key: { expireAt: 1 }, expireAfterSeconds: 0 } as const;
  const expires = { name: 'expires', key: { expires: 1 }, expireAfterSeconds: 60 } as const;
  const former = [
    ['workers', expires],
    ['idempotencyKeys', expireAt],
    ['wrongKeys', expireAt],
    ['statistics', expireAt],
  ] as const;
  const names = (key: keyof typeof collectionNames) =>
    of(key)
      .indexes()
      .then((all) => all.map(({ name }) => name).sort());
  await processor.ensureIndexes();
  const needed = new Map(await Promise.all(former.map(async ([key]) => [key, await names(key)] as const)));
  const recreate = async (change: object) => {
    for (const [key, index] of former) await of(key).createIndexes([{ ...index, ...change }]);
  };

  await recreate({});
  await processor.ensureIndexes();
  for (const [key] of former) expect([key, await names(key)]).toEqual([key, needed.get(key)]);

  await recreate({ expireAfterSeconds: 7 });
  await processor.ensureIndexes();
  for (const [key, { name }] of former) {
    expect([key, await names(key)]).toEqual([key, [...(needed.get(key) ?? []), name].sort()]);
    await of(key).dropIndex(name);
  }
});

test('of such a name, or such keys, an index of somebody else is not dropped', async () => {
  const processor = database.processor();
  const jobs = database.db.collection(collectionNames.jobs);
  const theirs = [
    { name: 'status', key: { status: 1 } },
    { name: 'claim', key: { priority: -1, runAt: 1, _id: 1, jobName: 1 } },
    { name: 'lease', key: { 'lease.expires': 1 } },
    { name: 'mine', key: { status: 1, created: 1, _id: 1 } },
    { name: 'byQueue', key: { queue: 1 } },
  ];
  await processor.ensureIndexes({ byQueue: false });
  await jobs.createIndexes(theirs);

  await processor.ensureIndexes({ byQueue: false });

  expect((await jobs.indexes()).map(({ name }) => name)).toEqual(
    expect.arrayContaining(theirs.map(({ name }) => name)),
  );
  for (const { name } of theirs) await jobs.dropIndex(name);
});

test.each([
  ['of the same name, with other keys', { name: 'byCreated', key: { created: 1 } }],
  ['of the same name, with other options', { name: 'byCreated', key: { created: 1, _id: 1 }, sparse: true }],
  ['of the same keys, with another name', { name: 'mine', key: { created: 1, _id: 1 } }],
])('an index %s in place of one that is needed is an error that names that one', async (_, index) => {
  const processor = database.processor();
  const jobs = database.db.collection(collectionNames.jobs);
  await jobs.dropIndex('byCreated');
  await jobs.createIndexes([index]);

  const error = await processor.ensureIndexes().catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(IndexConflictError);
  expect(error).toMatchObject({
    code: 'index_conflict',
    indexes: [`${collectionNames.jobs}.byCreated`],
    message: expect.stringMatching(/Not made: remoteProcessor\.jobs\.byCreated.* Drop those/),
  });
  await jobs.dropIndex(index.name);
  await processor.ensureIndexes();
});
