/** Every public function that takes options refuses one that it does not know, and names it. */
import { expect, test } from 'vitest';
import {
  createEnsureIndexesHandler,
  createHttpHandler,
  createKick,
  createSchedulerHandler,
  createWorkerHandler,
} from '../handlers/lambda.js';
import { LocalProcessor, type LocalProcessorOptions, startEmbeddedMongo } from '../local/index.js';
import { createTestProcessor, runJob } from '../local/testing/index.js';
import { defineJob, implement, RemoteProcessor, type RemoteProcessorOptions } from '../src/index.js';
import { instrument } from '../src/opentelemetry/index.js';
import { useDatabase } from './database.js';
import { echo } from './jobs.js';

const database = useDatabase();
const misspelled = { tiemout: '5s' };
const refused = {
  code: 'validation_failed',
  issues: expect.arrayContaining([{ path: 'tiemout', message: 'Unrecognized key: "tiemout"' }]),
};
const jobs = { jobs: [echo], ...misspelled };

test.each<[string, (...args: never[]) => unknown, () => readonly unknown[]]>([
  ['createWorkerHandler', createWorkerHandler, () => [jobs]],
  ['createSchedulerHandler', createSchedulerHandler, () => [jobs]],
  ['createHttpHandler', createHttpHandler, () => [jobs]],
  ['createEnsureIndexesHandler', createEnsureIndexesHandler, () => [misspelled]],
  ['createKick', createKick, () => [misspelled]],
  [
    'RemoteProcessor',
    (options: RemoteProcessorOptions) => new RemoteProcessor(options),
    () => [{ db: database.db, ...misspelled }],
  ],
  [
    'LocalProcessor',
    (options: LocalProcessorOptions) => new LocalProcessor(options),
    () => [{ db: database.db, ...misspelled }],
  ],
  ['startEmbeddedMongo', startEmbeddedMongo, () => [misspelled]],
  ['createTestProcessor', createTestProcessor, () => [misspelled]],
  ['runJob', runJob, () => [echo, {}, misspelled]],
  ['instrument', instrument, () => [database.processor(), misspelled]],
  ['defineJob', defineJob, () => [{ name: 'x', run: () => {}, ...misspelled }]],
  ['implement', implement, () => [defineJob({ name: 'x' }), { run: () => {}, ...misspelled }]],
])('%s', async (_, called, args) => {
  const call = async () => Reflect.apply(called, undefined, args());
  await expect(call()).rejects.toMatchObject(refused);
});

/** The arguments before the options. */
const methods: Readonly<Record<string, readonly unknown[]>> = {
  use: [],
  ensureIndexes: [],
  addJob: ['echo', {}],
  addJobs: [[]],
  updateJob: ['id'],
  getJobs: [],
  waitFor: ['id'],
  retryJob: ['id'],
  removeJobs: [[]],
  drain: [],
  addScheduler: [{ type: 'Delay', delay: '1s', jobName: 'echo' }],
  updateScheduler: ['id', {}],
  activateScheduler: ['id'],
  scheduleDueItems: [],
  reScheduleItem: ['id'],
  reScheduleItems: [],
  'factories.list': [],
  'jobs.list': [],
  'jobs.retryMany': [{ status: 'error' }],
  'jobs.cancelMany': [{ status: 'queued' }],
  'limits.list': [],
  'failures.list': [],
  'operations.list': [],
  'operations.start': [{ action: 'retry', filter: { status: 'error' } }],
  'queues.list': [],
  'schedules.list': [],
  'schedules.runNow': ['id'],
  'marks.add': [],
  'marks.list': [],
  'statistics.get': [],
  'statistics.waits': [],
  'statistics.range': [],
  'statistics.kinds': [],
  'workers.list': [],
};

test.each(Object.entries(methods))('%s', async (name, before) => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const [method = '', group = ''] = name.split('.').toReversed();
  const target: object = group === '' ? processor : Reflect.get(processor, group);
  const call = async () => Reflect.apply(Reflect.get(target, method), target, [...before, misspelled]);
  await expect(call()).rejects.toMatchObject(refused);
});
