import { expect, test } from 'vitest';
import { connectedCollections } from '../../../src/collections/connected-collections.js';
import { defineJob, RemoteException } from '../../../src/index.js';
import { Callbacks } from '../../../src/step/callbacks.js';
import { eventually } from '../../eventually.js';
import { type Call, callbacks, type TestApi, useApi } from './api.js';
import { operations } from './openapi-document.js';

const api = useApi();
const tick = { id: 'tick', type: 'Delay', delay: '1h', jobName: 'echo', input: {} } as const;

/** What has to be there, and the request that succeeds then. `call` expects that the document knows the answer. */
type Scenario = readonly [prepare: (api: TestApi) => Promise<unknown>, path: string, call?: Call];

const nothing = async () => {};
const queuedJob = ({ processor }: TestApi) => processor.addJob('echo', {}, { id: 'j', delay: '1h' });
const failedJob = async ({ processor }: TestApi) => {
  await processor.addJob('failing', undefined, { id: 'j' });
  await processor.processJobs();
};
/** The first check reads all indexes, which takes its time on a busy machine. Later ones trust what it read. */
const untilHealthy = (api: TestApi) =>
  eventually(async () => expect((await api.call('/health')).status).toBe(200));
const stoppedOrder = async ({ processor }: TestApi) => {
  const run = () => {
    throw new RemoteException('no');
  };
  await processor.addJobFactory(defineJob({ name: 'ordered', ordering: { name: 'failing' }, run }));
  await processor.addJob('ordered');
  await processor.processJobs();
};
const asking = async ({ processor }: TestApi) => {
  const asks = defineJob({
    name: 'asking',
    run: async ({ step }) => (await step.callback('approval')).wait(),
  });
  await processor.addJobFactory(asks);
  await processor.addJob(asks, undefined, { id: 'j' });
  await processor.drain();
};
const link = new URL(new Callbacks(callbacks).urlOf({ jobId: 'j', run: 1, step: 'approval' })).pathname;
const activeItem = ({ processor }: TestApi) => processor.addScheduler({ ...tick, active: true });
const runningJob = async ({ processor }: TestApi) => {
  await processor.addJob('echo', {});
  await processor.pullNextJob();
};
const item = ({ processor }: TestApi) => processor.addScheduler(tick);
const batch = ({ processor }: TestApi) =>
  processor.addBatch([{ name: 'echo', input: {} }, { name: 'failing' }], {
    id: 'b',
    then: { name: 'echo', input: {} },
  });
const failedBatch = async (api: TestApi) => {
  await batch(api);
  await api.processor.drain();
};
const endedBatch = async (api: TestApi) => {
  await failedBatch(api);
  await api.processor.batches.cancel('b');
};
const workflow = ({ processor }: TestApi) =>
  processor.addWorkflow({
    id: 'w',
    jobs: { one: { name: 'failing' }, two: { name: 'echo', input: {}, after: ['one'] } },
  });
const failedWorkflow = async (api: TestApi) => {
  await workflow(api);
  await api.processor.drain();
};
const endedWorkflow = async (api: TestApi) => {
  await failedWorkflow(api);
  await api.processor.workflows.cancel('w');
};
const parent = async ({ processor }: TestApi) => {
  const asks = defineJob({
    name: 'parent',
    run: ({ step }) => step.invoke('one', 'echo', {}),
  });
  await processor.addJobFactory(asks);
  await processor.addJob(asks, undefined, { id: 'j' });
  await processor.drain();
};
const operation = async ({ processor }: TestApi) => {
  const now = new Date();
  const collections = await processor[connectedCollections]();
  await collections.operations.insertOne({
    ...{
      _id: 'o',
      action: 'retry',
      filter: { status: 'error' },
      state: 'running',
      total: { count: 0, isCapped: false },
    },
    ...{ slices: 0, done: 0, skipped: 0, undoneSlices: 0, undone: 0 },
    ...{ endedBefore: now, started: now, due: now, expireAt: new Date(now.getTime() + 60_000) },
  });
};
const post = { method: 'POST' };
const addedWorkflow = {
  jobs: { one: { name: 'echo', input: {} }, two: { name: 'anything', input: { $resultOf: 'one' } } },
};

const scenarios: Readonly<Record<string, Scenario>> = {
  getHealth: [untilHealthy, '/health', { key: null }],
  getLiveness: [nothing, '/health/live', { key: null }],
  getCallback: [asking, link, { key: null }],
  answerCallback: [asking, link, { key: null, body: { approved: true } }],
  addJob: [nothing, '/v1/jobs', { body: { name: 'echo', input: {} } }],
  addJobs: [nothing, '/v1/jobs/batch', { body: { jobs: [{ name: 'echo', input: {} }] } }],
  listJobs: [failedJob, '/v1/jobs?status=error&name=failing&error=hopeless&order=oldest&limit=1'],
  listFailures: [failedJob, '/v1/failures?since=1h&name=failing&limit=1'],
  getFailure: [
    async (api) => {
      const { failures } = await api.processor[connectedCollections]();
      const group = { jobName: 'failing', message: 'no', sample: 'no', count: 1, hours: [] };
      const now = new Date();
      const times = { firstSeen: now, lastSeen: now, expireAt: new Date(now.getTime() + 60_000) };
      await failedJob(api);
      await failures.insertOne({ _id: 'failing:1', ...group, ...times });
    },
    '/v1/failures/failing:1',
  ],
  startOperation: [failedJob, '/v1/operations', { body: { action: 'retry', filter: { status: 'error' } } }],
  listOperations: [operation, '/v1/operations?limit=1'],
  getOperation: [operation, '/v1/operations/o'],
  stopOperation: [operation, '/v1/operations/o/stop', post],
  undoOperation: [operation, '/v1/operations/o/undo', post],
  getJob: [failedJob, '/v1/jobs/j?wait=1'],
  updateJob: [
    queuedJob,
    '/v1/jobs/j',
    { method: 'PATCH', body: { retryDelay: { kind: 'exponential', base: 1 } } },
  ],
  cancelJob: [queuedJob, '/v1/jobs/j/cancel', post],
  retryJob: [failedJob, '/v1/jobs/j/retry', post],
  getJobLog: [failedJob, '/v1/jobs/j/log'],
  getJobSteps: [failedJob, '/v1/jobs/j/steps'],
  sendSignal: [queuedJob, '/v1/jobs/j/signals/paid', { body: { payload: { amount: 1 }, signalId: 's' } }],
  removeJob: [failedJob, '/v1/jobs/j', { method: 'DELETE', key: 'key-of-admin' }],
  removeJobs: [failedJob, '/v1/jobs?status=error&olderThan=0s', { method: 'DELETE', key: 'key-of-admin' }],
  listJobChildren: [parent, '/v1/jobs/j/children?status=completed&limit=1'],
  addBatch: [nothing, '/v1/batches', { body: { jobs: [{ name: 'echo', input: {} }] } }],
  listBatches: [failedBatch, '/v1/batches?limit=1'],
  getBatch: [batch, '/v1/batches/b'],
  listBatchResults: [failedBatch, '/v1/batches/b/results?limit=1'],
  cancelBatch: [batch, '/v1/batches/b/cancel', post],
  retryBatch: [failedBatch, '/v1/batches/b/retry', post],
  removeBatch: [endedBatch, '/v1/batches/b', { method: 'DELETE', key: 'key-of-admin' }],
  addWorkflow: [nothing, '/v1/workflows', { body: addedWorkflow }],
  listWorkflows: [failedWorkflow, '/v1/workflows'],
  getWorkflow: [failedWorkflow, '/v1/workflows/w'],
  listWorkflowResults: [failedWorkflow, '/v1/workflows/w/results?status=error'],
  cancelWorkflow: [workflow, '/v1/workflows/w/cancel', post],
  retryWorkflow: [failedWorkflow, '/v1/workflows/w/retry', post],
  removeWorkflow: [endedWorkflow, '/v1/workflows/w', { method: 'DELETE', key: 'key-of-admin' }],
  listJobFactories: [nothing, '/v1/job-factories'],
  getJobFactory: [nothing, '/v1/job-factories/failing'],
  listSchedulers: [item, '/v1/schedulers?text=TI&brief=true'],
  addScheduler: [nothing, '/v1/schedulers', { body: tick }],
  getScheduler: [item, '/v1/schedulers/tick'],
  updateScheduler: [item, '/v1/schedulers/tick', { method: 'PATCH', body: { type: 'Cron', cron: '@daily' } }],
  removeScheduler: [item, '/v1/schedulers/tick', { method: 'DELETE', key: 'key-of-admin' }],
  activateScheduler: [item, '/v1/schedulers/tick/activate', post],
  deactivateScheduler: [item, '/v1/schedulers/tick/deactivate', post],
  runScheduler: [item, '/v1/schedulers/tick/run', post],
  rescheduleScheduler: [item, '/v1/schedulers/tick/reschedule', post],
  previewScheduler: [item, '/v1/schedulers/tick/preview?count=3'],
  getSchedulerHistory: [item, '/v1/schedulers/tick/history?count=3'],
  listUpcoming: [activeItem, '/v1/upcoming?within=2h'],
  rescheduleSchedulers: [item, '/v1/schedulers/reschedule', post],
  previewOptions: [nothing, '/v1/schedulers/preview', { body: { scheduler: tick } }],
  listQueues: [queuedJob, '/v1/queues'],
  listLimits: [nothing, '/v1/limits?order=fullest'],
  getLimit: [nothing, '/v1/limits/import'],
  setLimit: [nothing, '/v1/limits/import', { method: 'PATCH', key: 'key-of-admin', body: { max: 2 } }],
  pauseLimit: [nothing, '/v1/limits/import/pause', { ...post, key: 'key-of-admin' }],
  skipFailedJob: [stoppedOrder, '/v1/limits/order%20failing/skip', { ...post, key: 'key-of-admin' }],
  resumeLimit: [nothing, '/v1/limits/import/resume', { ...post, key: 'key-of-admin' }],
  pauseQueue: [nothing, '/v1/queues/mail/pause', { ...post, key: 'key-of-admin' }],
  resumeQueue: [nothing, '/v1/queues/mail/resume', { ...post, key: 'key-of-admin' }],
  getVerdict: [stoppedOrder, '/v1/verdict'],
  getCounts: [failedJob, '/v1/counts'],
  getStatistics: [failedJob, '/v1/statistics?since=2h&step=1h&name=failing'],
  listKinds: [failedJob, '/v1/kinds?range=24h&limit=10'],
  getKind: [failedJob, '/v1/kinds/failing?range=6h'],
  addMark: [nothing, '/v1/marks', { body: { text: 'v42' } }],
  listMarks: [
    async ({ processor }) => void (await processor.marks.add({ text: 'v42' })),
    '/v1/marks?limit=1',
  ],
  listWorkers: [nothing, '/v1/workers'],
  listRunningJobs: [runningJob, '/v1/workers/running?limit=10'],
  listAudit: [nothing, '/v1/audit?target=job:j&who=the-write&limit=1', { key: 'key-of-admin' }],
  getOpenApi: [nothing, '/v1/openapi.json'],
};

/** What the audit log leaves out: what changes nothing, and what programs do as often as there are jobs. */
const unrecorded = ['previewOptions', 'addJob', 'addJobs', 'addBatch', 'addWorkflow'];

test.each(operations.map((operation) => [operation.operationId, operation]))(
  '%s succeeds as the document says, and without a key is refused as it says',
  async (operationId, { method, responses, security }) => {
    const [prepare, path, call = {}] = scenarios[operationId] ?? [nothing, ''];
    await prepare(api);

    const isOpen = security?.length === 0;
    const refused = isOpen ? undefined : await api.call(path, { ...call, key: null });
    const response = await api.call(path, call);

    expect(Object.keys(responses)).toContain(`${response.status}`);
    expect(response.ok, `${operationId}: ${response.status}`).toBe(true);
    expect(refused?.status).toBe(isOpen ? undefined : 401);
    const isRecorded = method !== 'GET' && !unrecorded.includes(operationId);
    const { entries } = await api.processor.audit.list();
    expect(entries.map(({ action }) => action)).toEqual(isRecorded ? [operationId] : []);
  },
);
