/** A schema may be anybody's code: whatever it does is an error of ours, or a refusal, and nothing is written then. */
import { EventEmitter, once } from 'node:events';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import fc from 'fast-check';
import * as v from 'valibot';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { defineJob, RemoteException, RemoteProcessor } from '../../src/index.js';
import { silent, useDatabase } from '../database.js';

const database = useDatabase();

/** Whatever a library of its own kind may be, which no type tells. */
function schemaOf(validate: () => unknown, more: object = {}): StandardSchemaV1 {
  const valid = v.unknown();
  Object.assign(valid['~standard'], { validate, ...more });
  return valid;
}

function jobOf(input: StandardSchemaV1) {
  return defineJob({ name: 'odd', input, run: async () => null });
}

async function addTo(input: StandardSchemaV1): Promise<unknown> {
  const processor = database.processor();
  await processor.addJobFactory(jobOf(input));
  return processor.addJob('odd', { a: 'x' }).catch((error: unknown) => error);
}

test.each<[string, StandardSchemaV1, readonly { path: string; message: string }[]]>([
  [
    'ArkType, about the whole',
    type({ a: 'string' }).narrow((_, ctx) => ctx.mustBe('good')),
    [{ path: '', message: 'must be good (was {"a":"x"})' }],
  ],
  [
    'valibot, about the whole, asynchronously',
    v.pipeAsync(
      v.object({ a: v.string() }),
      v.checkAsync(async () => false, 'no good'),
    ),
    [{ path: '', message: 'no good' }],
  ],
  [
    'valibot, about a member of it',
    v.pipe(
      v.object({ a: v.string() }),
      v.forward(
        v.check(() => false, 'no good'),
        ['a'],
      ),
    ),
    [{ path: 'a', message: 'no good' }],
  ],
  [
    'one without issues',
    schemaOf(() => ({ issues: [] })),
    [{ path: '', message: 'its schema refuses it, and gives no reason' }],
  ],
  [
    'one with odd issues',
    schemaOf(() => ({
      issues: [
        { message: 'far', path: ['a', 0, Symbol('s'), { key: 'b' }, { key: 1 }, { key: Symbol('k') }, null] },
        { message: undefined, path: 'a' },
        null,
      ],
    })),
    [
      { path: 'a.0.Symbol(s).b.1.Symbol(k).null', message: 'far' },
      { path: '', message: 'its schema refuses it, and gives no reason' },
      { path: '', message: 'its schema refuses it, and gives no reason' },
    ],
  ],
])('what is wrong is told with its place: %s', async (_, input, issues) => {
  expect(await addTo(input)).toMatchObject({ code: 'validation_failed', issues });
});

const thrown = new Error('out of order');
const fails = () => {
  throw thrown;
};
/** Throws at whatever it is asked, except whether it is a promise: then nobody could return it. */
const hostile: unknown = new Proxy(
  {},
  { get: (_, key) => (key === 'then' ? undefined : fails()), has: fails, ownKeys: fails },
);

test.each<[string, StandardSchemaV1, string]>([
  ['undefined', schemaOf(() => undefined), 'it returned undefined, expected { value } or { issues: [...] }'],
  ['nothing', schemaOf(() => ({})), 'it returned {}'],
  ['issues that are no list', schemaOf(() => ({ issues: 'all' })), "it returned { issues: 'all' }"],
  ['what cannot be read', schemaOf(() => hostile), 'out of order'],
  ['an issue that cannot be read', schemaOf(async () => ({ issues: [hostile] })), 'out of order'],
  ['a path of such', schemaOf(() => ({ issues: [{ message: 'a', path: [hostile] }] })), 'out of order'],
  ['what cannot be read, as an error', schemaOf(() => Promise.reject(hostile)), ''],
  ['an error', schemaOf(() => Promise.reject(thrown)), 'out of order'],
  ['a text that it throws', schemaOf(() => Promise.reject('out of order')), 'out of order'],
  [
    'an error, of zod',
    z.unknown().refine(() => {
      throw thrown;
    }),
    'out of order',
  ],
])('a schema that fails is told as such: %s', async (_, input, reason) => {
  const error = await addTo(input);
  expect(error).toMatchObject({ code: 'schema_failed', name: 'SchemaFailedError' });
  expect(String(error)).toContain(`Input of job 'odd' could not be validated: its schema failed: ${reason}`);
});

describe('a schema that never answers', () => {
  afterEach(() => vi.useRealTimers());
  const never = schemaOf(() => new Promise(() => {}));
  const ofZod = z.unknown().refine(() => new Promise(() => {}));
  const untold = 'could not be validated: its schema failed: it did not answer within 10000 ms';

  test.each([never, ofZod])('holds up nobody who adds a job for longer than 10 s', async (input) => {
    const processor = database.processor();
    await processor.addJobFactory(jobOf(input));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const added = processor.addJobs([{ name: 'odd', input: 1 }]).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    expect(await added).toMatchObject({
      code: 'schema_failed',
      message: expect.stringContaining(`Input of job 'odd' ${untold}`),
    });
    expect(await processor.getJobs()).toEqual([]);
  });

  test('costs an attempt, which is retried: what keeps the thread busy makes others late', async () => {
    const processor = database.processor();
    const asked = new EventEmitter();
    const output = schemaOf(() => {
      asked.emit('asked');
      return new Promise(() => {});
    });
    const job = defineJob({ name: 'odd', output, run: () => vi.useFakeTimers({ toFake: ['setTimeout'] }) });
    await processor.addJobFactory(job);
    const id = await processor.addJob('odd');
    const isAsked = once(asked, 'asked');
    const run = processor.processNextJob();
    await isAsked;
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    await run;
    expect(await processor.getJob(id)).toMatchObject({
      status: 'queued',
      retryCounter: 1,
      errors: [{ message: expect.stringContaining(`Output of job 'odd' ${untold}`) }],
    });
  });
});

test('an error of this package that a schema throws stays what it is', async () => {
  const refusal = new RemoteException('never');
  expect(await addTo(schemaOf(() => Promise.reject(refusal)))).toBe(refusal);
});

const circular: Record<string, unknown> = { type: 'object' };
circular.properties = { self: circular };
test.each<[string, object]>([
  ['refers to itself', { input: () => circular }],
  ['has an example that does', { input: () => ({ type: 'object', examples: [circular] }) }],
  ['throws', { input: fails }],
  ['cannot be read', Object.defineProperty({}, 'input', { get: fails })],
  ['is a text', { input: () => 'object' }],
  ['is a list', { input: () => [] }],
])('a JSON Schema that %s is none: the job works where its code is', async (_, jsonSchema) => {
  expect(await addTo(schemaOf(() => ({ value: 1 }), { jsonSchema }))).toEqual(expect.any(String));
  const stranger = new RemoteProcessor({ db: database.db, log: silent });
  await expect(stranger.addJob('odd', {})).rejects.toMatchObject({ code: 'validation_failed' });
});

test('whatever a schema answers, its job is added, or refused by an error of ours', async () => {
  const odd = fc.anything({ withNullPrototype: true, withMap: true, withBigInt: true });
  const issue = fc.record(
    { message: odd, path: fc.oneof(fc.array(odd, { maxLength: 3 }), odd) },
    { requiredKeys: [] },
  );
  const answers = fc.oneof(
    odd,
    fc.record({ issues: fc.oneof(fc.array(issue, { maxLength: 3 }), odd) }),
    fc.record({ value: odd }),
  );
  await fc.assert(
    fc.asyncProperty(answers, fc.constantFrom('now', 'later', 'thrown', 'rejected'), async (answer, how) => {
      const result = await jobOf(schemaOf(() => giving(answer, how)))
        .parseInput(1)
        .then(
          () => 'accepted',
          (error: unknown) => Reflect.get(Object(error), 'code'),
        );
      expect(['accepted', 'validation_failed', 'schema_failed']).toContain(result);
    }),
    { numRuns: 70 },
  );
});

function giving(answer: unknown, how: string): unknown {
  if (how === 'thrown') throw answer;
  if (how === 'rejected') return Promise.reject(answer);
  return how === 'now' ? answer : Promise.resolve(answer);
}
