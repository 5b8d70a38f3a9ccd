import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type InProcessJobDefinition, RetryAfter, Snooze } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

type Definition = Omit<Parameters<typeof defineJob>[0], 'name' | 'module' | 'run'> &
  Pick<InProcessJobDefinition<z.ZodType, z.ZodType>, 'run'>;

let attempts = 0;

/** Runs one attempt, and returns the job as it is then. */
async function attempted(definition: Definition) {
  const processor = database.processor();
  attempts += 1;
  const name = `job-${attempts}`; // Those of before may be due again.
  await processor.addJobFactory(defineJob({ ...definition, name }));
  const id = await processor.addJob(name);
  await processor.processNextJob();
  const job = await processor.getJob(id);
  const [error] = job?.errors ?? [];
  const [text = ''] = await processor.getJobErrors(id);
  return {
    job,
    error,
    text: text.slice(text.indexOf(']') + 2),
    waitsMs: Number(job?.runAt) - Number(job?.queued),
  };
}

const throwing = (thrown: unknown) => attempted({ run: () => Promise.reject(thrown) });
const failsWith = (retryDelay: unknown) =>
  attempted({ run: () => Promise.reject(new Error('no')), ...JSON.parse('{}'), retryDelay });

describe('a delay that a job chooses', () => {
  test.each([
    [500.5, 501],
    [0.1 + 0.2, 1],
    [1.1 * 3_600_000, 3_960_000],
    ['1.1h', 3_960_000],
    ['0.2ms', 1],
    [0, 0],
  ])('of %s is rounded up to a whole millisecond', async (delay, expected) => {
    expect((await throwing(new Snooze(delay))).waitsMs).toBe(expected);
    expect((await throwing(new RetryAfter(delay))).waitsMs).toBe(expected);
    expect((await failsWith(() => delay)).waitsMs).toBe(expected);
  });

  test.each([Number.NaN, -1, -0.5, Number.POSITIVE_INFINITY, 'soon', '10', '', {}, null, undefined, 10n])(
    'of %s is told on the job, which is retried as if it had chosen none',
    async (delay) => {
      const given = JSON.parse('{}');
      given.delay = delay;
      for (const thrown of [new Snooze(given.delay), new RetryAfter(given.delay, 'busy')]) {
        const { job, error, waitsMs } = await throwing(thrown);
        expect(job).toMatchObject({ status: 'queued', retryCounter: 1 });
        expect(error?.message).toMatch(
          /\(its delay is no duration: expected milliseconds, or a string such as '10s'/,
        );
        expect(waitsMs).toBe(10_000);
      }
      const { error, waitsMs } = await failsWith(() => delay);
      expect(error?.message).toMatch(/^no \(its retryDelay returned no duration: expected milliseconds/);
      expect(waitsMs).toBe(10_000);
    },
  );

  test('may be as hostile as it likes', async () => {
    const refuse = () => {
      throw new Error('no');
    };
    const delay = { [Symbol.for('nodejs.util.inspect.custom')]: refuse, valueOf: refuse, toString: refuse };
    const { error } = await throwing(Object.assign(new Snooze(1), { delay }));
    expect(error?.message).toContain('its delay is no duration');
    const { error: other } = await failsWith(() => delay);
    expect(other?.message).toContain('its retryDelay returned no duration');
  });

  test('by a function that throws is told beside the error', async () => {
    const { error, waitsMs } = await failsWith(() => {
      throw new Error('in the function');
    });
    expect(error?.message).toBe('no (its retryDelay threw: in the function)');
    expect(waitsMs).toBe(10_000);
  });

  test('is told however long the message is', async () => {
    const { error } = await throwing(new RetryAfter(Number.NaN, 'a'.repeat(20_000)));
    expect(error?.message).toMatch(/aa \(its delay is no duration: expected .* not NaN\)$/);
    expect(Buffer.byteLength(error?.message ?? '')).toBeLessThanOrEqual(8 * 1024);
  });
});

describe('what was behind an error', () => {
  test('is kept: causes, and those that an AggregateError gathers, the nearest first', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:80'), { code: 'ECONNREFUSED' });
    const gathered = new AggregateError([refused, 'a text'], '');
    const { error, text } = await throwing(
      new TypeError('fetch failed', { cause: new Error('deep', { cause: gathered }) }),
    );
    expect(error).toMatchObject({
      message: 'fetch failed',
      causes: [
        { path: 'cause', name: 'Error', message: 'deep', stack: expect.stringContaining('failures.test') },
        { path: 'cause.cause', name: 'AggregateError', message: 'AggregateError' },
        { path: 'cause.cause.errors.0', name: 'Error', message: 'connect ECONNREFUSED 10.0.0.1:80' },
        { path: 'cause.cause.errors.1', name: 'string', message: 'a text' },
      ],
    });
    expect(text).toBe('fetch failed (deep; AggregateError; connect ECONNREFUSED 10.0.0.1:80; a text)');
  });

  test('is nothing where there is nothing', async () => {
    const { error, text } = await throwing(new Error('alone'));
    expect(error).not.toHaveProperty('causes');
    expect(text).toBe('alone');
  });

  test('is kept in bounds: circles, depth, number and bytes', async () => {
    const circle: Error & { cause?: unknown } = new Error('a');
    circle.cause = new Error('b', { cause: circle });
    expect((await throwing(circle)).error?.causes).toMatchObject([{ message: 'b' }]);

    let deep = new Error('0');
    for (let n = 1; n < 100; n += 1) deep = new Error(String(n), { cause: deep });
    expect((await throwing(deep)).error?.causes).toHaveLength(5);

    const many = new AggregateError(
      Array.from({ length: 1000 }, (_, n) => new Error(`${n} ${'é'.repeat(9_000)}`)),
    );
    const { error } = await throwing(many);
    expect(error?.causes?.length).toBeGreaterThan(1);
    expect(error?.causes?.length).toBeLessThanOrEqual(10);
    expect(Buffer.byteLength(JSON.stringify(error?.causes))).toBeLessThan(7 * 1024);
  });

  test('may be as hostile as it likes', async () => {
    const hostile = new Proxy(new Error('proxied'), {
      get: () => {
        throw new Error('no reading');
      },
    });
    const errors = [
      hostile,
      {
        toString: () => {
          throw new Error('no text');
        },
      },
      Symbol('s'),
      null,
    ];
    const thrown = Object.assign(new Error('outer', { cause: hostile }), { errors });
    Object.defineProperty(errors, 5, {
      enumerable: true,
      get: () => {
        throw new Error('no item');
      },
    });
    const { error, job } = await throwing(thrown);
    expect(job?.status).toBe('queued');
    expect(error?.message).toBe('outer');

    const trap = new Error('message');
    for (const key of ['stack', 'message', 'cause', 'errors', 'name', 'code', 'delay'])
      Object.defineProperty(trap, key, {
        get: () => {
          throw new Error(`no ${key}`);
        },
      });
    expect((await throwing(trap)).error?.message).toBe('It threw what cannot even be read.');
  });
});

test('a rejection that nobody handled is kept with its own stack, and what was behind it', async () => {
  const { error } = await attempted({
    run: async ({ signal }) => {
      void Promise.reject(new Error('left', { cause: new Error('the reason') }));
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  expect(error?.message).toBe('Unhandled rejection: left');
  expect(error?.stack).toMatch(/^Error: left\n +at .*failures\.test/);
  expect(error?.causes).toMatchObject([
    { path: 'cause', message: 'left' },
    { path: 'cause.cause', message: 'the reason' },
  ]);
});

describe('an output that cannot be stored', () => {
  const nested = (value: unknown) => ({ list: [{ ok: 1 }, { value }] });
  const getter = Object.defineProperty({}, 'total', {
    enumerable: true,
    get: () => {
      throw new Error('not loaded');
    },
  });
  const proxy = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no keys');
      },
    },
  );
  const posing = Object.create({ _bsontype: 'Nonsense' });

  test.each<[string, unknown, RegExp]>([
    ['a function', () => {}, /list\.1\.value: expected a value that can be stored, not a function/],
    ['a getter that throws', getter, /list\.1\.value\.total: could not be read: not loaded/],
    ['a proxy that refuses', proxy, /list\.1\.value: could not be read: no keys/],
    ['what only poses as BSON', posing, /list\.1\.value: could not be read: /],
    [
      'a circle',
      (() => {
        const a: { self?: unknown } = {};
        a.self = a;
        return a;
      })(),
      /list\.1\.value\.self: expected no circular reference/,
    ],
  ])('ends the job in error, and says why and where: %s', async (_, value, message) => {
    const { job, error } = await attempted({ run: async () => nested(value) });
    expect(job?.status).toBe('error');
    expect(error?.message).toMatch(message);
  });

  test('since its schema throws is told with what was thrown', async () => {
    const output = z.unknown().transform(() => {
      throw new Error('in the schema', { cause: new Error('behind it') });
    });
    const { job, error } = await attempted({ output, run: async () => 1 });
    expect(job?.status).toBe('error');
    expect(error).toMatchObject({
      message: expect.stringContaining('its schema failed: in the schema'),
      causes: [
        { message: 'in the schema', stack: expect.stringContaining('failures.test') },
        { message: 'behind it' },
      ],
    });
  });
});

describe('an attempt that ends after its timeout', () => {
  const untilAborted = (signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

  test('has not completed, though it returned while it might still end', async () => {
    const { job, error } = await attempted({
      timeout: 30,
      run: async ({ signal }) => {
        await untilAborted(signal);
        return 'late';
      },
    });
    expect(job).toMatchObject({ status: 'queued', retryCounter: 1 });
    expect(job).not.toHaveProperty('output');
    expect(error?.message).toMatch(
      /^It ended \d+ ms after its timeout of 30 ms, and that counts as a failure/,
    );
  });

  test('has not completed, though it blocked the thread so that no timer fired', async () => {
    let wasTold = true;
    const { job, error } = await attempted({
      timeout: 30,
      run: async ({ signal }) => {
        const until = performance.now() + 40;
        while (performance.now() < until);
        wasTold = signal.aborted;
        return 'late';
      },
    });
    expect(wasTold).toBe(false);
    expect(job?.status).toBe('queued');
    expect(error?.message).toMatch(
      /^It ended \d+ ms after its timeout of 30 ms, and that counts as a failure/,
    );
  });

  test('is not put off either, but an error of its own tells more', async () => {
    const afterTimeout = (thrown: unknown): Definition => ({
      timeout: 30,
      run: async ({ signal }) => {
        await untilAborted(signal);
        throw thrown;
      },
    });
    expect((await attempted(afterTimeout(new Snooze('1h')))).job).toMatchObject({
      retryCounter: 1,
      givenBackCounter: 0,
    });
    expect((await attempted(afterTimeout(new Error('its own')))).error?.message).toBe('its own');
  });
});
