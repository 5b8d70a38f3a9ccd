import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JobContext, type JobLogLine, NotFoundError, RemoteException } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { telling } from './told.js';

const database = useDatabase();

/** Runs a job that logs, and returns its log. */
async function logOf(run: (context: JobContext) => unknown) {
  const processor = database.processor({ maxThreads: 1 });
  const job = telling(run);
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  await processor.drain();
  return processor.jobs.log(id);
}

test('what a job logs is kept on it, with the time, the attempt and the fields', async () => {
  const before = Date.now() - 60_000;
  const { lines, dropped } = await logOf(({ log }) => {
    log('$begun');
    log('read', { rows: 3, $set: { 'a.b': '$c' } });
  });
  expect(lines).toEqual([
    { at: expect.any(Date), attempt: 1, message: '$begun' },
    { at: expect.any(Date), attempt: 1, message: 'read', fields: { rows: 3, $set: { 'a.b': '$c' } } },
  ]);
  expect(dropped).toBe(0);
  for (const { at } of lines) expect(at.getTime()).toBeGreaterThan(before);
});

test('lines that are written with the outcome tell when they were logged, by the clock of the database', async () => {
  const processor = database.processor();
  const job = telling(async ({ log, progress }) => {
    await progress('Written at once, and so nothing else is for a second.');
    log('early');
    const began = performance.now();
    await eventually(() => expect(performance.now() - began).toBeGreaterThan(300));
    log('late');
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  await processor.drain();
  const [early, late] = (await processor.jobs.log(id)).lines;
  expect(Number(late?.at) - Number(early?.at)).toBeGreaterThanOrEqual(300);
});

test('a job as the API gives it has no log: that may be large', async () => {
  const processor = database.processor();
  const job = telling(({ log }) => log('here'));
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  expect(await processor.jobs.log(id)).toEqual({ lines: [], dropped: 0 });
  await processor.drain();
  expect((await processor.jobs.log(id)).lines).toHaveLength(1);
  expect(await processor.getJob(id)).not.toHaveProperty('log');
  expect((await processor.getJobs())[0]).not.toHaveProperty('log');
  await expect(processor.jobs.log('unknown')).rejects.toThrow(NotFoundError);
});

test.each([1, 3])('the log goes on in the next attempt (%i at a time)', async (maxThreads) => {
  const processor = database.processor({ maxThreads });
  const job = telling(({ log, attempt }) => {
    log(`attempt ${attempt}`);
    log('and more');
    if (attempt < 3) throw new Error('Try again.');
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  await processor.drain();
  const { lines } = await processor.jobs.log(id);
  expect(lines.map(({ attempt, message }) => [attempt, message])).toEqual([
    [1, 'attempt 1'],
    [1, 'and more'],
    [2, 'attempt 2'],
    [2, 'and more'],
    [3, 'attempt 3'],
    [3, 'and more'],
  ]);
});

test('what a worker that died had written stays, and the next attempt goes on after it', async () => {
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  const dying = database.processor({ name: 'dying' });
  const living = database.processor({ name: 'living' });
  const job = telling(async ({ log, attempt, jobId, signal }) => {
    log(`attempt ${attempt}`);
    if (attempt > 1) return;
    await eventually(async () => expect((await living.jobs.log(jobId)).lines).toHaveLength(1));
    await jobs.updateOne({ _id: jobId }, { $set: { 'lease.expires': new Date(0) } });
    await eventually(async () => expect(await living.drain()).toMatchObject({ completed: 1 }));
    log('what nobody hears');
    signal.throwIfAborted();
  });
  await dying.addJobFactory(job);
  await living.addJobFactory(job);
  const id = await dying.addJob(job);
  expect(await dying.drain()).toMatchObject({ stale: 1 });
  const { lines } = await living.jobs.log(id);
  expect(lines.map(({ message }) => message)).toEqual(['attempt 1', 'attempt 2']);
});

test('the last 100 lines are kept, and the others counted, however they were written', async () => {
  const { lines, dropped } = await logOf(async ({ log, jobId, processor }) => {
    for (let n = 1; n <= 30; n += 1) log(`line ${n}`);
    await eventually(async () => expect((await processor.jobs.log(jobId)).lines).toHaveLength(30));
    for (let n = 31; n <= 190; n += 1) log(`line ${n}`);
    await eventually(async () => expect((await processor.jobs.log(jobId)).dropped).toBe(90));
    for (let n = 191; n <= 250; n += 1) log(`line ${n}`);
  });
  expect(lines.map(({ message }) => message)).toEqual(
    Array.from({ length: 100 }, (_, index) => `line ${index + 151}`),
  );
  expect(dropped).toBe(150);
});

test('long texts are cut, between two characters', async () => {
  const { lines } = await logOf(({ log }) => {
    log('a'.repeat(1_000));
    log('a'.repeat(1_001));
    log(`${'a'.repeat(998)}😀😀`);
    log('\ud800 alone');
  });
  expect(lines.map(({ message }) => message)).toEqual([
    'a'.repeat(1_000),
    `${'a'.repeat(999)}…`,
    `${'a'.repeat(998)}…`,
    '\ufffd alone',
  ]);
});

const circular: Record<string, unknown> = {};
circular.self = circular;

test.each([
  ['too large', { text: 'a'.repeat(1_024) }],
  ['large in bytes', { text: 'é'.repeat(600) }],
  ['a list', [1, 2]],
  ['a text', 'text'],
  ['null', null],
  ['a date', new Date(0)],
  ['circular', circular],
  ['what JSON does not have', { n: 1n }],
])('fields that are %s are refused, and the line is not written', async (_, fields) => {
  const processor = database.processor();
  const job = telling(({ log }) => {
    try {
      Reflect.apply(log, undefined, ['text', fields]);
    } catch (error) {
      throw new RemoteException(error instanceof Error && 'code' in error ? String(error.code) : 'other');
    }
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  await processor.drain();
  expect((await processor.getJob(id))?.errors).toMatchObject([{ message: 'validation_failed' }]);
  expect((await processor.jobs.log(id)).lines).toEqual([]);
});

test('fields that JSON can write are kept as it writes them, and errors as their texts', async () => {
  const { lines } = await logOf(({ log }) => {
    log('all kinds', { date: new Date(0), nothing: undefined, error: new RangeError('too far') });
  });
  expect(lines[0]?.fields).toEqual({ date: '1970-01-01T00:00:00.000Z', error: 'RangeError: too far' });
});

test('any text, and any object that JSON can write, comes back as it is', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 50 });
  const fields = fc
    .dictionary(fc.string({ maxLength: 10 }), fc.jsonValue({ maxDepth: 2 }))
    .filter((value) => Buffer.byteLength(JSON.stringify(value)) <= 1_024);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ text, fields }), { maxLength: 30 }), async (told) => {
      const { lines } = await logOf(({ log }) => {
        for (const line of told) log(line.text, line.fields);
      });
      const expected = told.map((line) => [line.text, JSON.parse(JSON.stringify(line.fields))]);
      expect(lines.map((line: JobLogLine) => [line.message, line.fields])).toEqual(expected);
    }),
    { numRuns: 5 },
  );
});

test('a job that is called without a queue has nowhere to log to, but is told what is refused', async () => {
  const processor = database.processor();
  const job = telling(async ({ log, progress }) => {
    log('to nobody', { n: 1 });
    await progress(1, 2, 'half');
    await progress(3, 2);
  });
  await expect(job.call(undefined, processor)).rejects.toMatchObject({ code: 'validation_failed' });
});
