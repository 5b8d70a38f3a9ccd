import { expect, test } from 'vitest';
import { z } from 'zod';
import { LocalProcessor } from '../../local/processor.js';
import { defineJob, implement, UnknownJobNameError, ValidationError } from '../../src/index.js';
import { silent, useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });

const contract = defineJob({
  name: 'sum',
  input: z.array(z.number()).default([]),
  output: z.number(),
  version: 3,
  queue: 'sums',
  addRole: 'admin',
});
const sum = implement(contract, { run: ({ input }) => input.reduce((total, one) => total + one, 0) });

test('a process without the code adds a job by its contract, which another runs', async () => {
  const producer = database.processor();
  const ids = [
    await producer.addJob(contract, [1, 2]),
    ...(await producer.addJobs([{ job: contract, input: [3] }, { job: contract }])),
  ];
  expect(await producer.getJob(ids[0] ?? '')).toMatchObject({ jobName: 'sum', queue: 'sums' });
  expect(await producer.processNextJob()).toBe(false);

  const worker = database.processor();
  await worker.addJobFactory(sum);
  await worker.drain();

  const results = await Promise.all(ids.map((id) => producer.getJobResult(id, contract)));
  expect(results).toEqual([3, 3, 0]);
});

test('what a contract refuses is not added', async () => {
  const producer = database.processor();
  const wrong: unknown = ['one'];

  // @ts-expect-error the types refuse it already
  await expect(producer.addJob(contract, wrong)).rejects.toMatchObject({ issues: [{ path: '0' }] });
  await expect(producer.addJob(contract, [1], { callerRole: 'write' })).rejects.toMatchObject({
    code: 'forbidden',
  });
  // @ts-expect-error the types refuse it already
  await expect(producer.addJobs([{ job: contract, input: wrong }])).rejects.toMatchObject({
    issues: [{ path: '0.input.0' }],
  });

  expect(await producer.getJobs()).toEqual([]);
});

test('a contract is not run, and says so', async () => {
  const processor = database.processor();

  // @ts-expect-error the types refuse it already
  await expect(processor.addJobFactory(contract)).rejects.toThrow(/implement\(contract, \{ run \}\)/);
  // @ts-expect-error the types refuse it already
  await expect(contract.call([1], processor)).rejects.toThrow(/implement\(contract, \{ run \}\)/);
  expect(await sum.call([1, 2], processor)).toBe(3);
});

test.each<[string, unknown, unknown]>([
  ['something else than a contract', echo, { run: async () => 1 }],
  ['no code', contract, {}],
  ['code twice', contract, { run: async () => 1, module: new URL('file:///a.js') }],
  ['an unknown option', contract, { run: async () => 1, timeout: 5 }],
])('implement refuses %s', (_, of, implementation) => {
  // @ts-expect-error the types refuse it already
  expect(() => implement(of, implementation)).toThrow(ValidationError);
});

test.each<[string, object, string]>([
  ['both a name and a job', { name: 'echo', job: echo, input: {} }, '0.name'],
  ['neither', { input: {} }, '0.name'],
  ['a job that is none', { job: { name: 'echo' }, input: {} }, '0.job'],
])('a member of addJobs with %s is refused', async (_, member, path) => {
  // @ts-expect-error the types refuse it already
  await expect(database.processor().addJobs([member])).rejects.toMatchObject({ issues: [{ path }] });
});

test('kinds of jobs that are given to the constructor are registered once, by the first use', async () => {
  const processor = new LocalProcessor({ db: database.db, log: silent, jobs: { echo, sum } });
  const other = database.processor();
  expect(await other.factories.names()).toEqual([]);

  const id = await processor.addJob('sum', [1, 2]);
  const commands = await database.commandsDuring(() => processor.getJob(id));
  await processor.drain();

  expect(commands).toHaveLength(1);
  expect(await processor.getJobResult(id, sum)).toBe(3);
  expect(await other.factories.names()).toEqual(['echo', 'sum']);
});

test('a key that is not the name in the definition is refused, and both are named', async () => {
  const jobs = { echo, greeting: sum, total: contract };
  const refused = {
    code: 'validation_failed',
    issues: [
      { path: 'jobs.greeting', message: expect.stringContaining(`'sum', not 'greeting'`) },
      { path: 'jobs.total', message: expect.stringContaining(`'sum', not 'total'`) },
    ],
  };
  expect(() => new LocalProcessor({ db: database.db, log: silent, jobs })).toThrow(
    expect.objectContaining(refused),
  );

  const processor = database.processor();
  await expect(processor.addJobFactories({ greeting: sum })).rejects.toMatchObject({
    issues: [{ path: 'greeting' }],
  });
  expect(await processor.factories.names()).toEqual([]);
});

test('contracts that are given to the constructor are added by name, and not claimed', async () => {
  const processor = new LocalProcessor({ db: database.db, log: silent, jobs: { sum: contract } });

  const id = await processor.addJob('sum', [1]);
  await processor.drain();

  expect(await processor.getJobStatus(id)).toBe('queued');
  expect(await database.processor().factories.get('sum')).toMatchObject({ version: 3, addRole: 'admin' });
});

test('an option `jobs` that is none is refused', () => {
  const jobs = { 'not a name': echo, none: { name: 'none' } };
  // @ts-expect-error the types refuse it already
  expect(() => new LocalProcessor({ db: database.db, jobs })).toThrow(/not a name.*none|none.*not a name/s);
});

test('a scheduler item takes its job by factory', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);

  const id = await processor.addScheduler({
    type: 'At',
    at: new Date(0),
    job: echo,
    input: { a: 1 },
    active: true,
  });
  await processor.scheduleDueItems();

  expect(await processor.getScheduler(id)).toMatchObject({ jobName: 'echo' });
  expect(await processor.getJobs()).toMatchObject([{ jobName: 'echo', input: { a: 1 } }]);
  await expect(processor.addScheduler({ type: 'At', at: new Date(0), job: sum })).rejects.toThrow(
    UnknownJobNameError,
  );
});
