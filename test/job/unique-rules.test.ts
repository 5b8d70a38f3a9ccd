/** Unique keys that no job can have, and options that contradict each other: refused before anything is written. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobFactory, RemoteProcessor } from '../../src/index.js';
import { silent, useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();
const run = async () => {};
const input = z.object({ customer: z.object({ id: z.unknown() }).optional(), n: z.number().optional() });

/** Defines a job as plain JavaScript may, with any options. */
function anyJob(options: object): JobFactory<unknown> {
  return Reflect.apply(defineJob, undefined, [{ name: 'import', input, run, ...options }]);
}

const refused = (...paths: string[]) =>
  expect.objectContaining({
    code: 'validation_failed',
    issues: paths.map((path) => expect.objectContaining({ path })),
  });

const wrong: readonly (readonly [string, object, string])[] = [
  ['both key and by', { unique: { key: 'k', by: ['n'] } }, 'unique.key'],
  ['neither key nor by', { unique: {} }, 'unique.key'],
  ['an empty key', { unique: { key: '' } }, 'unique.key'],
  ['a long key', { unique: { key: 'x'.repeat(501) } }, 'unique.key'],
  ['an operator as key', { unique: { key: { $ne: null } } }, 'unique.key'],
  ['no paths', { unique: { by: [] } }, 'unique.by'],
  ['eleven paths', { unique: { by: Array(11).fill('n') } }, 'unique.by'],
  ['an unknown mode', { unique: { key: 'k', mode: 'extend' } }, 'unique.mode'],
  ['an unknown end', { unique: { key: 'k', until: 'started' } }, 'unique.until'],
  ['an unknown option', { unique: { key: 'k', ttl: 5 } }, 'unique.ttl'],
  ['a period of 0', { unique: { key: 'k', period: 0 } }, 'unique.period'],
  ['a period that is none', { unique: { key: 'k', period: 'often' } }, 'unique.period'],
  ['a period until claimed', { unique: { key: 'k', period: '1h', until: 'claimed' } }, 'unique.period'],
  [
    'a period that queues one',
    { unique: { key: 'k', period: 5, whileRunning: 'queueOne' } },
    'unique.period',
  ],
  [
    'one to queue until claimed',
    { unique: { key: 'k', until: 'claimed', whileRunning: 'queueOne' } },
    'unique.whileRunning',
  ],
  ['no delay', { debounce: { key: 'k' } }, 'debounce.delay'],
  ['a delay of 0', { debounce: { key: 'k', delay: 0 } }, 'debounce.delay'],
  ['a wait below the delay', { debounce: { key: 'k', delay: '1m', maxWait: '59s' } }, 'debounce.maxWait'],
  ['no key of a debounce', { debounce: { delay: '1m' } }, 'debounce.key'],
  ['debounce beside unique', { debounce: { key: 'k', delay: 5 }, unique: { key: 'k' } }, 'debounce'],
];

describe('refused as an option of a job and of a definition', () => {
  test.each(wrong)('%s', async (_, options, path) => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    const add: (options: object) => Promise<string> = (given) => processor.addJob('echo', {}, given);
    await expect(add(options)).rejects.toEqual(refused(path));
    expect(() => anyJob(options)).toThrow(refused(path));
    expect(await processor.getJobs()).toEqual([]);
  });
});

test.each([
  ['uniqueKey beside unique', { uniqueKey: 'k', unique: { key: 'k' } }],
  ['uniqueKey beside debounce', { uniqueKey: 'k', debounce: { key: 'k', delay: 5 } }],
  ['debounce beside a moment', { debounce: { key: 'k', delay: 5 }, runAt: new Date() }],
  ['debounce beside a delay', { debounce: { key: 'k', delay: 5 }, delay: 5 }],
])('%s is refused', async (_, options) => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await expect(processor.addJob('echo', {}, options)).rejects.toEqual(refused('debounce'));
  await expect(processor.addJobs([{ name: 'echo', input: {}, options }])).rejects.toEqual(
    refused('0.options.debounce'),
  );
});

test.each([
  ['that it lacks', {}, 'not nothing'],
  ['to an object', { customer: { id: {} } }, 'not a value of type object'],
  ['to an empty text', { customer: { id: '' } }, 'expected 1 to 500 characters'],
])('an input with a path %s is refused', async (_, given, message) => {
  const processor = database.processor();
  const job = anyJob({ unique: { by: ['customer.id'] } });
  await processor.addJobFactory(job);
  const issue = { path: 'customer.id', message: expect.stringContaining(message) };
  await expect(processor.addJob(job, given)).rejects.toMatchObject({ issues: [issue] });
  await expect(processor.addJobs([{ job, input: given }])).rejects.toMatchObject({
    issues: [{ ...issue, path: '0.input.customer.id' }],
  });
  const options = { unique: { by: ['customer.id'] } };
  await processor.addJobFactory(echo);
  await expect(processor.addJob('echo', given, options)).rejects.toMatchObject({ issues: [issue] });
  expect(await processor.getJobs()).toEqual([]);
});

test('the key is the value at a path, or a list of the values at several', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const given = { customer: { id: 7 }, n: 'a' };
  const keyOf = async (by: string[]) =>
    (await processor.getJob(await processor.addJob('echo', given, { unique: { by } })))?.uniqueKey;
  expect(await keyOf(['customer.id'])).toBe('7');
  expect(await keyOf(['customer.id', 'n'])).toBe('["7","a"]');
});

test('options of a job go before those of its kind', async () => {
  const processor = database.processor();
  const job = defineJob({
    name: 'import',
    input,
    unique: { key: ({ n = 0 }) => `number ${n}`, mode: 'replace' },
    run,
  });
  await processor.addJobFactory(job);
  const first = await processor.jobs.add(job, { n: 1 });
  expect(await processor.jobs.add(job, { n: 1 })).toMatchObject({ id: first.id, outcome: 'replaced' });
  const other = await processor.jobs.add(job, { n: 1 }, { uniqueKey: 'another' });
  expect(other).toMatchObject({ outcome: 'added' });
  expect(await processor.getJob(other.id)).toMatchObject({ uniqueKey: 'another' });
});

describe('a process without the code', () => {
  const stranger = () => new RemoteProcessor({ db: database.db, log: silent });

  test('makes the key by the paths of the kind', async () => {
    const worker = database.processor();
    await worker.addJobFactory(anyJob({ unique: { by: ['n'], mode: 'replace' } }));
    const { id } = await stranger().jobs.add('import', { n: 5 });
    expect(await stranger().jobs.add('import', { n: 5 })).toMatchObject({ id, outcome: 'replaced' });
    expect(await worker.getJob(id)).toMatchObject({ uniqueKey: '5' });
  });

  test('cannot make it by a function, and says so, but may give another', async () => {
    const worker = database.processor();
    await worker.addJobFactory(anyJob({ unique: { key: () => 'k' } }));
    await expect(stranger().addJob('import', {})).rejects.toThrow(/comes from a function of its code/);
    await stranger().addJob('import', {}, { uniqueKey: 'mine' });
    expect(await worker.getJobs()).toHaveLength(1);
  });
});

test('jobs of scheduler items have no key, so that each occurrence makes one', async () => {
  const processor = database.processor();
  const job = defineJob({ name: 'tick', unique: { key: 'one' }, run });
  await processor.addJobFactory(job);
  const held = await processor.addJob(job);
  await processor.addScheduler({ id: 'tick', type: 'Delay', delay: '1h', jobName: 'tick', active: true });
  const run1 = await processor.schedules.runNow('tick');
  expect(run1).not.toBe(held);
  expect(await processor.getJob(run1)).not.toHaveProperty('uniqueKey');
});
