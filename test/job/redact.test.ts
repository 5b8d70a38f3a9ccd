import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { defineJob, RemoteException, type RemoteProcessor, type StepOptions } from '../../src/index.js';
import { MASK, masked, meets, restored } from '../../src/job/redacted-paths.js';
import { Secrets } from '../../src/job/secrets.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

const NUMBER = '4111 1111 1111 1111';
const TOKEN = 'p@ss"word/ä';
const input = { order: 7, card: { number: NUMBER, cvc: 7_371_922 }, tokens: { a: TOKEN, b: 'tok_2' } };
const redact = ['card.number', 'card.cvc', 'tokens.*'];
const inputSchema = z.object({
  order: z.number(),
  // As the code of a job gets it.
  card: z.object({ number: z.string().transform((text) => text.replaceAll(' ', '')), cvc: z.number() }),
  tokens: z.record(z.string(), z.string()),
});

/** Returns a kind of job that fails after it has told its input wherever it can. */
const teller = defineJob({
  name: 'teller',
  input: inputSchema,
  redact,
  maxRetries: 1,
  run: async ({ input: given, log, progress, step }) => {
    log(`card ${given.card.number}`, { all: given });
    await progress({ at: given.tokens.a });
    await step.run('try', { retry: { attempts: 1, delay: 1 } } satisfies StepOptions, () => {
      throw new Error(`step with ${NUMBER} and ${JSON.stringify(given)}`);
    });
  },
});

const thrower = defineJob({
  name: 'thrower',
  input: inputSchema,
  redact,
  run: async ({ input: given }) => {
    const cause = new Error(`url ?token=${encodeURIComponent(given.tokens.a ?? '')}`);
    throw new RemoteException(`No money on ${given.card.number} (${given.card.cvc})`, { cause });
  },
});

/** Everything that is stored except the inputs of jobs. */
async function storedTexts(): Promise<string> {
  const collections = await database.db.listCollections().toArray();
  const all = await Promise.all(collections.map(({ name }) => database.db.collection(name).find().toArray()));
  return JSON.stringify(all.flat().map(({ input: _, ...document }) => document));
}

function expectNothingTold(texts: string): void {
  for (const secret of [NUMBER, '4111111111111111', 'p@ss', 'p%40ss', 'tok_2', '7371922'])
    expect(texts).not.toContain(secret);
}

async function run(processor: RemoteProcessor, job: typeof teller): Promise<string> {
  await processor.addJobFactory(job);
  const id = await processor.addJob(job, input);
  await processor.processJobs();
  return id;
}

test('the code of a job gets the values, and nothing that it tells of them is stored', async () => {
  const processor = database.processor();
  const heard: unknown[] = [];
  processor.on('attemptEnded', (attempt) => heard.push(attempt));

  const ids = [await run(processor, teller), await run(processor, thrower)];

  expect(await processor.getJobStatus(ids[0] ?? '')).toBe('error');
  const [told = '', ...others] = await processor.getJobErrors(ids[1] ?? '');
  expect(others).toEqual([]);
  expect(told).toContain(`No money on ${MASK} (${MASK})`);
  expect((await processor.jobs.log(ids[0] ?? '')).lines[0]).toMatchObject({
    message: `card ${MASK}`,
    fields: { all: { order: 7, card: { number: MASK, cvc: MASK }, tokens: { a: MASK, b: MASK } } },
  });
  expect((await processor.getJob(ids[0] ?? ''))?.progress).toEqual({ at: MASK });
  expect((await processor.getJob(ids[1] ?? ''))?.input).toEqual(input);
  await processor.statistics.get({ since: '1h', step: '1m' });
  expectNothingTold(await storedTexts());
  expectNothingTold(JSON.stringify(heard));
});

test('an error of a batch tells no value of any of its jobs', async () => {
  const kind = defineJob({
    name: 'many',
    input: inputSchema,
    redact,
    maxRetries: 1,
    batch: { size: 2 },
    runBatch: async ({ jobs }) => {
      await sleep(0);
      throw new Error(JSON.stringify(jobs.map(({ input: given }) => given)));
    },
  });
  const processor = database.processor();
  await processor.addJobFactory(kind);
  await processor.addJobs([
    { job: kind, input },
    { job: kind, input: { ...input, tokens: { a: 'other-secret' } } },
  ]);

  await processor.drain();

  const texts = await storedTexts();
  expect(texts).toContain('order');
  expectNothingTold(texts);
  expect(texts).not.toContain('other-secret');
});

test('a rejected promise that a job left behind, and failJob, tell no value either', async () => {
  const processor = database.processor();
  await processor.addJobFactory(thrower);
  await processor.addJob(thrower, input);
  const job = await processor.pullNextJob();
  if (job) await processor.failJob(job, new Error(`by hand: ${TOKEN}`));
  expectNothingTold(await storedTexts());
});

test('what is wrong with an input is told without its redacted values', async () => {
  const kind = defineJob({
    name: 'picky',
    redact: ['pin', 'secret', 'list.*'],
    input: z.looseObject({
      pin: z.string().refine(() => false, { error: ({ input: given }) => `pin ${given} is wrong` }),
      secret: z.string(),
      name: z.string().refine(() => false, { error: 'not with hunter2hunter2' }),
      list: z.array(z.number({ error: ({ input: given }) => `no number: ${given}` })),
    }),
    run: async () => null,
  });
  const processor = database.processor();
  await processor.addJobFactory(kind);
  const given = { pin: '1', secret: 'hunter2hunter2', name: 'n', list: ['xyzzy'] };

  for (const name of ['picky', kind]) {
    const error = await processor
      .addJob(name as typeof kind, given as never)
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'validation_failed' });
    expect(JSON.stringify(error)).toContain('"path":"pin"');
    expect(String(error) + JSON.stringify(error)).not.toMatch(/pin 1|hunter2|xyzzy/);
  }
});

test('a schema that throws tells no value', async () => {
  const kind = defineJob({
    name: 'throwing',
    redact: ['secret'],
    input: z.object({
      secret: z.string().refine((text) => {
        throw new Error(`cannot look up ${text}`);
      }),
    }),
    run: async () => null,
  });
  const processor = database.processor();
  await processor.addJobFactory(kind);

  const error = await processor.addJob(kind, { secret: 'hunter2hunter2' }).catch((thrown: unknown) => thrown);

  expect(error).toMatchObject({ code: 'schema_failed', reason: `cannot look up ${MASK}` });
  expect(JSON.stringify([String(error), (error as Error).stack, (error as Error).cause])).not.toContain(
    'hunter2',
  );
});

test('an input with a mask is refused, by code and by a producer without the code', async () => {
  const worker = database.processor();
  await worker.addJobFactory(thrower);
  const seen = { ...input, card: { number: MASK, cvc: 1 } };
  for (const processor of [worker, database.processor()])
    await expect(processor.addJob('thrower', seen)).rejects.toMatchObject({
      issues: [{ path: 'card.number', message: expect.stringContaining(`not '${MASK}'`) }],
    });
  expect(await database.db.collection(collectionNames.jobs).countDocuments()).toBe(0);
});

test.each([
  ['searchable', { searchable: ['order', 'card.number'] }, 'searchable.1'],
  ['searchable, above', { searchable: ['tokens'] }, 'searchable.0'],
  ['unique', { unique: { by: ['order', 'tokens.a'] } }, 'unique.by.1'],
  ['debounce', { debounce: { by: ['tokens.a'], delay: '1s' } }, 'debounce.by.0'],
  ['concurrency', { concurrency: { limit: 1, key: 'card.number' } }, 'concurrency.0.key'],
  ['rateLimit', { rateLimit: { limit: 1, period: '1s', key: 'card.number' } }, 'rateLimit.key'],
  ['fairness', { fairness: { key: 'tokens.b' } }, 'fairness.key'],
  ['ordering', { ordering: { key: 'tokens.b' } }, 'ordering.key'],
  ['redact itself', { redact: ['card..number'] }, 'redact.0'],
])('%s cannot use a redacted field', (_, options, path) => {
  const define = () =>
    defineJob({ name: 'a', input: inputSchema, redact, run: async () => null, ...(options as object) });
  expect(define).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path })] }));
});

test('a unique key of redacted values is refused when a job is added', async () => {
  const processor = database.processor();
  await processor.addJobFactory(thrower);
  const adding = processor.addJob(thrower, input, { unique: { by: ['card.number'] } });
  await expect(adding).rejects.toMatchObject({ issues: [{ path: 'unique.by' }] });
});

test('whoever keeps an update of a schedule from seeing its values keeps them', async () => {
  const processor = database.processor();
  await processor.addJobFactories([
    thrower,
    defineJob({ name: 'open', input: z.unknown(), run: async () => null }),
  ]);
  const id = await processor.addScheduler({ type: 'Delay', delay: '1h', jobName: 'thrower', input });
  const seen = { ...input, order: 8, card: { ...input.card, number: MASK } };

  await processor.updateScheduler(id, { input: seen }, { callerRole: 'write' });

  expect((await processor.getScheduler(id))?.input).toEqual({ ...input, order: 8 });
  const moving = processor.updateScheduler(id, { jobName: 'open' }, { callerRole: 'write' });
  await expect(moving).rejects.toMatchObject({ issues: [{ path: 'input' }] });
  const lost = processor.updateScheduler(id, { input: { ...input, tokens: { c: MASK } } });
  await expect(lost).rejects.toMatchObject({ issues: [{ path: 'input.tokens.c' }] });
  await processor.updateScheduler(id, { jobName: 'open' }, { callerRole: 'admin' });
});

test('paths reach into records and lists, and leave what is beside them', () => {
  const value = { a: [{ b: 1, c: 2 }, { b: null }], d: { e: { f: 1 }, g: 2 }, h: [[1, 2], 3] };
  expect(masked(value, ['a.b', 'd.*.f', 'h.0.1', 'nowhere.else', 'd.g.deeper'])).toEqual({
    a: [{ b: MASK, c: 2 }, { b: null }],
    d: { e: { f: MASK }, g: 2 },
    h: [[1, MASK], 3],
  });
  expect(masked(value, ['a.*.c', 'd'])).toMatchObject({ a: [{ b: 1, c: MASK }, { b: null }], d: MASK });
  expect(masked(value, undefined)).toBe(MASK);
  expect(masked({ __proto__x: 1, constructor: 2 }, ['constructor'])).toEqual({
    __proto__x: 1,
    constructor: MASK,
  });
});

test('masks give way to what is stored at the same place, except in a list of another length', () => {
  const stored = { a: ['x', 'y'], b: { c: { d: 1 } } };
  expect(restored({ a: [MASK, 'new'], b: MASK, e: MASK }, stored, ['a.*', 'b', 'e'])).toEqual({
    a: ['x', 'new'],
    b: { c: { d: 1 } },
    e: MASK,
  });
  expect(restored({ a: [MASK] }, stored, ['a'])).toEqual({ a: [MASK] });
  expect(restored({ a: [MASK], b: { c: MASK } }, stored, ['a.*'])).toEqual({ a: [MASK], b: { c: MASK } });
});

test.each([
  ['a.b', 'a.b', true],
  ['a', 'a.b', true],
  ['a.b.c', 'a.b', true],
  ['a.c', 'a.b', false],
  ['a.x', 'a.*', true],
  ['a.0.b', 'a.b', true],
  ['a.b', 'a.*.b', true],
  ['x.b', '*.b', true],
  ['x.c', '*.b', false],
  ['', 'a', true],
])('the path %s meets %s: %s', (path, redacted, expected) => {
  expect(meets(path, [redacted])).toBe(expected);
});

test('values are found in any case, in part at the end of a text that was cut, and short ones as words', () => {
  const secrets = new Secrets(['a.*']).learn({
    a: ['Ada@Example.org', 'abc', 12, 'line one\nline two', 'x'.repeat(5000)],
  });
  expect(secrets.hide('to ADA@EXAMPLE.ORG, abc and abcd')).toBe(`to ${MASK}, ${MASK} and abcd`);
  expect(secrets.hide('12 x')).toBe('12 x');
  expect(secrets.hide('"line one\\nline two"')).toBe(`"${MASK}"`);
  expect(secrets.hide(`a ${'x'.repeat(5000)} b`)).toBe(`a ${MASK} b`);
  expect(secrets.hide(`${'-'.repeat(900)} ada@exam`)).toBe(`${'-'.repeat(900)} ${MASK}`);
  expect(secrets.hide(`${'-'.repeat(900)} ada@exam…`)).toBe(`${'-'.repeat(900)} ${MASK}`);
  expect(secrets.hideIn({ ABC: [12, { k: 'abc' }], n: 1 })).toEqual({ [MASK]: [12, { k: MASK }], n: 1 });
});
