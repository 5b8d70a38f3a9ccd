/** The input and output of a job may be schemas of any library that implements Standard Schema. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import * as mini from 'zod/mini';
import * as z3 from 'zod-3';
import * as zod400 from 'zod-3/v4';
import { defineJob, RemoteProcessor } from '../../src/index.js';
import { silent, useDatabase } from '../database.js';

const database = useDatabase();

/** Of the same input each: its `n` is a text, of which it makes a number; its `greeting` may be left out. */
const inValibot = v.object({
  to: v.pipe(v.string(), v.minLength(2)),
  n: v.pipe(v.string(), v.digits(), v.transform(Number)),
  greeting: v.optional(v.string(), 'Hello'),
});
const inputs = {
  'zod 4': z.object({
    to: z.string().min(2),
    n: z.string().regex(/^\d+$/).transform(Number),
    greeting: z.string().default('Hello'),
  }),
  'zod mini': mini.object({
    to: mini.string().check(mini.minLength(2)),
    n: mini.pipe(mini.string().check(mini.regex(/^\d+$/)), mini.transform(Number)),
    greeting: mini._default(mini.string(), 'Hello'),
  }),
  'zod 4.0.0': zod400.object({
    to: zod400.string().min(2),
    n: zod400.string().regex(/^\d+$/).transform(Number),
    greeting: zod400.string().default('Hello'),
  }),
  valibot: inValibot,
  'valibot with its JSON Schema': toStandardJsonSchema(inValibot),
  'valibot, asynchronous': v.objectAsync({
    ...inValibot.entries,
    to: v.pipeAsync(
      v.string(),
      v.checkAsync(async (text) => text.length > 1),
    ),
  }),
  ArkType: type({ to: 'string >= 2', n: 'string.integer.parse', greeting: "string = 'Hello'" }),
};

/** Those whose input has a JSON Schema: a process without the code knows what is wrong with an input. */
const described = new Set(['zod 4', 'zod mini', 'zod 4.0.0', 'valibot with its JSON Schema', 'ArkType']);

type Mail = { to: string; n: number; greeting: string };

describe.each(
  Object.entries<StandardSchemaV1<{ to: string; n: string; greeting?: string | undefined }, Mail>>(inputs),
)('an input of %s', (name, input) => {
  const mail = defineJob({
    name: 'mail',
    input,
    run: async ({ input }) => `${input.greeting}, ${input.to}`.repeat(input.n),
  });

  test('is parsed by the worker, and stored as it was given', async () => {
    const processor = database.processor();
    await processor.addJobFactory(mail);
    const id = await processor.addJob('mail', { to: 'me', n: '2' });
    await processor.processJobs();
    expect(await processor.getJob(id)).toMatchObject({
      input: { to: 'me', n: '2' },
      output: 'Hello, meHello, me',
    });
  });

  test('is refused with the paths of what is wrong', async () => {
    const processor = database.processor();
    await processor.addJobFactory(mail);
    await expect(processor.addJob('mail', { to: 5, n: '2' })).rejects.toMatchObject({
      code: 'validation_failed',
      issues: [{ path: 'to' }],
    });
    await expect(processor.addJob('mail')).rejects.toMatchObject({ code: 'validation_failed' });
  });

  test(`is ${described.has(name) ? 'checked' : 'refused'} where it is added by name`, async () => {
    await database.processor().addJobFactory(mail);
    const stranger = new RemoteProcessor({ db: database.db, log: silent });
    if (!described.has(name)) return refusesWhatItCannotCheck(stranger);
    expect(await stranger.addJob('mail', { to: 'me', n: '2' })).toBeDefined();
    await expect(stranger.addJob('mail', { to: 5, n: '2' })).rejects.toMatchObject({
      issues: [{ path: 'to' }],
    });
    const { inputSchema = null } = (await stranger.factories.get('mail')) ?? {};
    expect(JSON.parse(inputSchema ?? '')).toMatchObject({
      properties: { to: { type: 'string', minLength: 2 } },
      required: expect.arrayContaining(['to', 'n']),
    });
  });
});

async function refusesWhatItCannotCheck(stranger: RemoteProcessor): Promise<void> {
  const input = { to: 'me', n: '2' };
  const refused = (path: string) => ({
    code: 'validation_failed',
    issues: [{ path, message: expect.stringContaining('it cannot be checked here') }],
  });
  await expect(stranger.addJob('mail', input)).rejects.toMatchObject(refused(''));
  await expect(stranger.addJobs([{ name: 'mail', input }])).rejects.toMatchObject(refused('0.input'));
  const item = { type: 'Delay', delay: '1h', jobName: 'mail', input } as const;
  await expect(stranger.addScheduler(item)).rejects.toMatchObject(refused('input'));
  expect(await stranger.getJobs()).toEqual([]);
  expect(await stranger.getSchedulers()).toEqual([]);
}

test('types are those of the schemas', () => {
  const job = defineJob({
    name: 'typed',
    input: v.object({ n: v.pipe(v.string(), v.transform(Number)) }),
    output: type({ sum: 'number' }),
    run: ({ input }) => ({ sum: input.n + 1 }),
  });
  const call = () => job.call({ n: '1' }, database.processor()).then(({ sum }) => sum.toFixed());
  // @ts-expect-error: it is a text
  const wrong = () => job.call({ n: 1 }, database.processor());
  expect([call, wrong]).toHaveLength(2);
});

test.each(Object.entries({ valibot: v.number(), ArkType: type('number'), mini: mini.number() }))(
  'an output of %s is judged',
  async (_, output: StandardSchemaV1<number>) => {
    const processor = database.processor();
    const answer = (text: unknown) => JSON.parse(String(text));
    await processor.addJobFactory(
      defineJob({ name: 'answer', input: z.unknown(), output, run: ({ input }) => answer(input) }),
    );
    const [good, bad] = [await processor.addJob('answer', '42'), await processor.addJob('answer', '"42"')];
    await processor.processJobs();
    expect(await processor.getJob(good)).toMatchObject({ status: 'completed', output: 42 });
    expect(await processor.getJob(bad)).toMatchObject({ status: 'error', retryCounter: 1 });
  },
);

describe('what is no such schema is refused', () => {
  const fails = () => {
    throw new Error('do not ask');
  };
  const define = (input: unknown) => () =>
    defineJob({ name: 'a', input: Object(input), run: async () => null });

  test('one of zod 3, by name', () => {
    for (const schema of [z3.string(), z3.object({ a: z3.string() }), { _def: { typeName: 'ZodString' } }])
      expect(define(schema)).toThrow(
        "input: expected a schema of zod 4, which zod 3.25 has too, as 'zod/v4': this is one of zod 3",
      );
  });

  test.each<[string, unknown]>([
    ['an object', {}],
    ['a function', () => true],
    ['another version of the standard', { '~standard': { version: 2, validate: () => true } }],
    ['a proxy that refuses to answer', new Proxy({}, { get: fails, has: fails })],
  ])('%s', (_, schema) => {
    expect(define(schema)).toThrow('input: expected a schema of zod 4, valibot, ArkType, or another');
  });
});

/** JSON that a schema accepts, which is stored with a JSON Schema that has to accept it as well. */
const accepted: readonly (readonly [string, StandardSchemaV1, unknown])[] = [
  ['a large whole number of ArkType', type('number.integer'), 1e300],
  ['a large whole number of valibot', toStandardJsonSchema(v.pipe(v.number(), v.integer())), 1e300],
  ['an email with an odd domain', type('string.email'), 'root@my.host'],
  ['a text by a pattern without case', type(/^[a-z]+$/i), 'ABC'],
  ['one of two that overlap', type({ a: 'string' }).or({ b: 'number' }), { a: 'x', b: 1 }],
  ['what two schemas say together', type({ a: 'string' }).and({ b: 'number' }), { a: 'x', b: 1 }],
  ['a pair with an end that may be missing', type(['string', 'number?']), ['a']],
  ['names by a pattern', type({ '[/^x/]': 'number' }), { x1: 1, y: 'any' }],
  [
    'a record of valibot',
    toStandardJsonSchema(v.record(v.pipe(v.string(), v.maxLength(2)), v.number())),
    { a: 1 },
  ],
  ['a text that is trimmed', type('string.trim |> string > 2'), '  abc  '],
  ['a date as a text', type('string.date.iso.parse'), '2026-01-31T09:05:06Z'],
  ['a member to fall back on', toStandardJsonSchema(v.object({ a: v.optional(v.number(), 1) })), {}],
  ['a strict object', toStandardJsonSchema(v.strictObject({ a: v.nullable(v.string()) })), { a: null }],
  [
    'a variant',
    toStandardJsonSchema(
      v.variant('kind', [v.object({ kind: v.literal('a') }), v.object({ kind: v.literal('b') })]),
    ),
    { kind: 'b' },
  ],
  ['a tuple of valibot', toStandardJsonSchema(v.tuple([v.string(), v.number()])), ['a', 1]],
];

test.each(accepted)('%s is accepted by name too', async (_, input, value) => {
  expect(await input['~standard'].validate(value)).not.toHaveProperty('issues.0');
  await database.processor().addJobFactory(defineJob({ name: 'judge', input, run: async () => null }));
  const stranger = new RemoteProcessor({ db: database.db, log: silent });
  expect(await stranger.addJob('judge', value)).toBeDefined();
});
