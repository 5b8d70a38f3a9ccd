import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { MongoClient } from 'mongodb';
import { afterEach, expect, test } from 'vitest';
import { LocalProcessor } from '../../local/processor.js';
import { connectedCollections } from '../../src/collections/connected-collections.js';
import type { ClaimedJob, RemoteProcessor } from '../../src/index.js';
import { TcpProxy } from '../chaos/tcp-proxy.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { echo } from '../jobs.js';
import { methodNames } from '../method-names.js';
import { plainCalls } from '../plain-calls.js';

const database = useDatabase();
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A port of this machine that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A processor whose database can be reached by this port, once somebody listens there. */
function processorAt(port: number): { readonly processor: LocalProcessor; readonly client: MongoClient } {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 50,
    minHeartbeatFrequencyMS: 10,
  });
  const processor = new LocalProcessor({
    db: client.db(database.name),
    log: silent,
    pollInterval: 20,
    scheduleInterval: 20,
  });
  closing.push(async () => {
    await processor.stopProcessor();
    await processor.stopScheduler();
    await client.close();
  });
  return { processor, client };
}

async function openDatabaseAt(port: number): Promise<void> {
  const { hostname, port: databasePort } = new URL(database.uri);
  const proxy = await TcpProxy.start({ host: hostname, port: Number(databasePort) }, port);
  closing.unshift(() => proxy.close());
}

test('loops that began while the database was down go on once it is there', async () => {
  const port = await freePort();
  const { processor } = processorAt(port);
  const other = database.processor();
  await other.addJobFactory(echo);
  await expect(processor.addJobFactory(echo)).rejects.toThrow(/ECONNREFUSED|Server selection timed out/);
  processor.startProcessor();
  processor.startScheduler();
  await openDatabaseAt(port);
  // It is not given much time to find the server.
  await eventually(() => processor.addJobFactory(echo));
  const id = await other.addJob('echo', {});
  await other.addScheduler({
    id: 'soon',
    type: 'At',
    at: new Date(),
    jobName: 'echo',
    input: {},
    active: true,
  });
  await eventually(async () => {
    expect(await other.getJobStatus(id)).toBe('completed');
    expect(await other.getJobs({ status: 'completed' })).toHaveLength(2);
  });
});

/** A job that another processor has pulled. */
async function pulled(): Promise<ClaimedJob> {
  const other = database.processor();
  await other.addJobFactory(echo);
  await other.addJob('echo', {});
  const job = await other.pullNextJob();
  if (job) return job;
  throw new Error('Its job was not due.');
}

/** Each of its methods, and of its groups', that asks the database. */
const operations: Readonly<Record<string, (processor: RemoteProcessor) => Promise<unknown>>> = {
  ...plainCalls,
  addJob: (processor) => processor.addJob('echo', {}),
  addJobs: (processor) => processor.addJobs([{ name: 'echo', input: {} }]),
  updateJob: (processor) => processor.updateJob('job', { priority: 1 }),
  getJob: (processor) => processor.getJob('job'),
  'factories.masked': async (processor) => processor.factories.masked((await processor.jobs.list()).jobs),
  waitFor: (processor) => processor.waitFor('job', { timeout: 0 }),
  getJobStatus: (processor) => processor.getJobStatus('job'),
  getJobResult: (processor) => processor.getJobResult('job'),
  getJobErrors: (processor) => processor.getJobErrors('job'),
  'jobs.add': (processor) => processor.jobs.add('echo', {}),
  'jobs.addMany': (processor) => processor.jobs.addMany([{ name: 'echo', input: {} }]),
  'jobs.log': (processor) => processor.jobs.log('job'),
  addBatch: (processor) => processor.addBatch([{ name: 'echo', input: {} }]),
  addWorkflow: (processor) => processor.addWorkflow({ jobs: { one: { name: 'echo', input: {} } } }),
  'batches.get': (processor) => processor.batches.get('batch'),
  'batches.results': (processor) => processor.batches.results('batch'),
  'batches.listResults': (processor) => processor.batches.listResults('batch'),
  'batches.failures': (processor) => processor.batches.failures('batch'),
  'batches.cancel': (processor) => processor.batches.cancel('batch'),
  'batches.retry': (processor) => processor.batches.retry('batch'),
  'batches.remove': (processor) => processor.batches.remove('batch'),
  'workflows.get': (processor) => processor.workflows.get('workflow'),
  'workflows.outputs': (processor) => processor.workflows.outputs('workflow'),
  'workflows.listResults': (processor) => processor.workflows.listResults('workflow'),
  'workflows.failures': (processor) => processor.workflows.failures('workflow'),
  'workflows.cancel': (processor) => processor.workflows.cancel('workflow'),
  'workflows.retry': (processor) => processor.workflows.retry('workflow'),
  'workflows.remove': (processor) => processor.workflows.remove('workflow'),
  'jobs.children': (processor) => processor.jobs.children('job'),
  'jobs.steps': (processor) => processor.jobs.steps('job'),
  signal: (processor) => processor.signal('job', 'paid'),
  'failures.get': (processor) => processor.failures.get('echo:1'),
  'operations.get': (processor) => processor.operations.get('o'),
  'operations.stop': (processor) => processor.operations.stop('o'),
  'operations.undo': (processor) => processor.operations.undo('o'),
  'limits.list': (processor) => processor.limits.list(),
  'limits.get': (processor) => processor.limits.get('import'),
  'limits.set': (processor) => processor.limits.set('import', { max: 1 }),
  'limits.pause': (processor) => processor.limits.pause('import'),
  'limits.resume': (processor) => processor.limits.resume('import'),
  'limits.skip': (processor) => processor.limits.skip('order import').catch(() => {}),
  'queues.pause': (processor) => processor.queues.pause('mail'),
  'queues.resume': (processor) => processor.queues.resume('mail'),
  cancelJob: (processor) => processor.cancelJob('job'),
  retryJob: (processor) => processor.retryJob('job'),
  removeJob: (processor) => processor.removeJob('job'),
  completeJob: async (processor) => processor.completeJob(await pulled(), {}),
  failJob: async (processor) => processor.failJob(await pulled(), new Error('No.')),
  addScheduler: (processor) =>
    processor.addScheduler({ type: 'Delay', delay: '1h', jobName: 'echo', input: {} }),
  updateScheduler: (processor) => processor.updateScheduler('item', { title: 'New' }),
  getScheduler: (processor) => processor.getScheduler('item'),
  activateScheduler: (processor) => processor.activateScheduler('item'),
  deactivateScheduler: (processor) => processor.deactivateScheduler('item'),
  removeScheduler: (processor) => processor.removeScheduler('item'),
  'schedules.runNow': (processor) => processor.schedules.runNow('item'),
  'schedules.preview': (processor) => processor.schedules.preview('item'),
  syncSchedulers: (processor) => processor.syncSchedulers([]),
  scheduleDueItems: (processor) => processor.scheduleDueItems(),
  reScheduleItem: (processor) => processor.reScheduleItem('item'),
};

test('each method is known here', () => {
  expect(Object.keys(operations).sort()).toEqual(methodNames(database.processor()).sort());
});

async function failureOf(doing: () => Promise<unknown>): Promise<string> {
  try {
    await doing();
    return 'none';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

const ofTheHttpApi = (processor: RemoteProcessor) => processor[connectedCollections]();

test.each(Object.entries({ ...operations, ofTheHttpApi }))(
  '%s connects a client whose first connection failed',
  async (_, call) => {
    const port = await freePort();
    const { processor, client } = processorAt(port);
    await expect(client.connect()).rejects.toThrow(/ECONNREFUSED|Server selection timed out/);
    await openDatabaseAt(port);
    // It is not given much time to find the server.
    while ((await failureOf(() => call(processor))) === 'MongoServerSelectionError');
    expect(await failureOf(() => call(processor))).toMatch(
      /^(none|(NotFound|Conflict|UnknownJobName)Error)$/,
    );
  },
);
