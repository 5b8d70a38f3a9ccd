import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  AttemptAbortedError,
  RemoteException,
  RetryAfter,
  Snooze,
  ValidationError,
} from '../../src/errors.js';
import type { SubprocessContext } from '../../src/job/job-context.js';
import { closeSubprocessPool, runInSubprocess } from '../../src/subprocess/run-in-subprocess.js';
import { SubprocessError } from '../../src/subprocess/subprocess-error.js';
import { SubprocessPool } from '../../src/subprocess/subprocess-pool.js';
import { program } from '../programs.js';
import type { Behaviour } from './modules/behaviour.subprocess.js';
import { odd } from './odd.js';

const behaviour = new URL('./modules/behaviour.subprocess.js', import.meta.url);
const cancelled = new AttemptAbortedError('cancelled');
const pools: SubprocessPool[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
// Its threads are kept for the next test, as for the next job: to start one takes most of the time.
afterAll(closeSubprocessPool);

describe('what a module gives back', () => {
  test('its output', async () => {
    const value = { text: 'é', at: new Date(0), bytes: new Uint8Array([1, 2]), list: [null, 1n] };
    expect(await run({ do: 'return', value })).toEqual(value);
  });

  test('progress, in order, and waits until it is stored', async () => {
    const stored: unknown[] = [];
    const progress = async (value: unknown) => {
      await new Promise(setImmediate);
      stored.push(value);
    };
    const output = await run({ do: 'report', values: [1, { half: true }, null] }, { progress });
    expect([output, stored]).toEqual(['reported', [1, { half: true }, null]]);
  });

  test('progress that is refused rejects inside the module, code and all', async () => {
    const progress = async () => {
      throw new ValidationError('Progress', [{ path: 'a', message: 'expected b' }]);
    };
    const running = run({ do: 'report', values: [1] }, { progress });
    await expect(running).rejects.toMatchObject({ name: 'ValidationError', code: 'validation_failed' });
  });

  test('an error, with name, message, code, cause and its own stack', async () => {
    const error = await failure(run({ do: 'throw' }));
    expect(error).toMatchObject({ name: 'RangeError', message: 'out of range', code: 'E_RANGE' });
    expect(error.cause).toMatchObject({ message: 'the cause' });
    expect(error.stack).toContain('behaviour.subprocess');
  });

  test('a thrown value that is no error, as it is', async () => {
    await expect(run({ do: 'throw text' })).rejects.toBe('only a text');
    await expect(run({ do: 'throw odd', what: 'object' })).rejects.toEqual(odd('object'));
  });

  test('a RemoteException that is one on this side too', async () => {
    const error = await failure(run({ do: 'refuse' }));
    expect(error).toBeInstanceOf(RemoteException);
    expect(error).toMatchObject({ name: 'RemoteException', message: 'do not retry' });
    expect(error.cause).toMatchObject({ name: 'TypeError', message: 'the cause' });
    expect(error.stack).toContain('behaviour.subprocess');
  });

  test('a Snooze and a RetryAfter with their delays', async () => {
    const snooze = await failure(run({ do: 'snooze' }));
    expect(snooze).toBeInstanceOf(Snooze);
    expect(snooze).toMatchObject({ delay: '1m' });
    const retryAfter = await failure(run({ do: 'retry after' }));
    expect(retryAfter).toBeInstanceOf(RetryAfter);
    expect(retryAfter).toMatchObject({ delay: '2m', message: 'busy' });
  });

  test('an output that cannot be sent is an error that says so, and is not worth another try', async () => {
    const error = await failure(run({ do: 'return odd', what: 'map' }));
    expect(error).toBeInstanceOf(RemoteException);
    expect(error.message).toMatch(/^Its output cannot be sent from its thread: .*could not be cloned/);
  });
});

describe('a signal that fires', () => {
  test('fires inside the module, with its reason as an Error', async () => {
    expect(await runAndAbort({ do: 'obey' })).toEqual([true, 'attempt_aborted']);
  });

  test('ends a module that throws the reason with that very reason', async () => {
    expect(await failure(runAndAbort({ do: 'wait' }))).toBe(cancelled);
  });

  test('before the start: nothing is run', async () => {
    const signal = AbortSignal.abort(cancelled);
    expect(await failure(run({ do: 'exit' }, { signal }))).toBe(cancelled);
  });

  test('while the job waits for a thread ends it at once', async () => {
    const pool = makePool({ maxThreads: 1, graceMs: 1_000_000 });
    const blocking = new AbortController();
    const first = run({ do: 'wait' }, { signal: blocking.signal }, pool);
    const waiting = new AbortController();
    const second = run({ do: 'return', value: 2 }, { signal: waiting.signal }, pool);
    waiting.abort(cancelled);
    expect(await failure(second)).toBe(cancelled);
    blocking.abort(cancelled);
    expect(await failure(first)).toBe(cancelled);
  });

  test('kills a module that loops for ever, while this thread goes on', async () => {
    const controller = new AbortController();
    const turns = async () => {
      for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
      controller.abort(cancelled);
    };
    const running = run(
      { do: 'loop' },
      { signal: controller.signal, progress: turns },
      makePool({ graceMs: 1 }),
    );
    expect(await failure(running)).toBe(cancelled);
  });

  test('kills one job: the one beside it, and the next, run as if nothing had happened', async () => {
    const pool = makePool({ graceMs: 1 });
    const killed = runAndAbort({ do: 'loop' }, pool);
    const progress = async () => {
      await failure(killed);
    };
    const beside = run({ do: 'report', values: ['begun'] }, { progress }, pool);
    expect([await failure(killed), await beside]).toEqual([cancelled, 'reported']);
    expect(await run({ do: 'return', value: 1 }, {}, pool)).toBe(1);
  });
});

describe('a module that misbehaves fails alone', () => {
  test.each<[Behaviour, RegExp]>([
    [{ do: 'exit' }, /exited with code: 3/],
    [{ do: 'throw later' }, /thrown by a timer/],
    [{ do: 'fill the memory' }, /memory limit/],
  ])('%o', async (input, message) => {
    const pool = makePool({ maxThreads: 1, memoryMb: 64 });
    const [error, next] = await Promise.all([
      failure(run(input, {}, pool)),
      run({ do: 'return', value: 'next' }, {}, pool),
    ]);
    expect(error).toBeInstanceOf(SubprocessError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('behaviour.subprocess');
    expect(next).toBe('next');
  });

  test('throws when it is imported', async () => {
    const error = await failure(runModule('./modules/throws-at-import.subprocess.js'));
    expect(error).toMatchObject({ code: 'subprocess_failed', cause: { message: 'broken at import' } });
  });

  test('does not exist', async () => {
    const error = await failure(runModule('./modules/missing.subprocess.js'));
    expect(error).toMatchObject({
      code: 'subprocess_failed',
      message: expect.stringContaining('missing.subprocess'),
    });
  });

  test('has no function as its default export', async () => {
    const error = await failure(runModule('./modules/no-default.subprocess.js'));
    expect(error.message).toContain('expected a function as its default export, got undefined');
  });

  test('cannot even start, for want of memory', async () => {
    // Still less would end the process with Node.js 22 and later.
    const error = await failure(run({ do: 'return', value: 1 }, {}, makePool({ memoryMb: 4 })));
    expect(error).toMatchObject({
      code: 'subprocess_failed',
      message: expect.stringContaining('its thread failed'),
    });
  });

  test('an input that cannot be cloned is an error that says so', async () => {
    const value = () => {};
    expect((await failure(run({ do: 'return', value }))).message).toContain('could not be cloned');
  });
});

test('two jobs that keep a CPU busy run at the same time', async () => {
  const pool = makePool({ maxThreads: 2 });
  const counter = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const both = [run({ do: 'meet', counter }, {}, pool), run({ do: 'meet', counter }, {}, pool)];
  expect(await Promise.all(both)).toEqual(['met', 'met']);
});

test('a process ends by itself after its jobs, killed ones too', async () => {
  const script = await program('test/subprocess/modules/ends-by-itself.ts');
  const module = await program('test/subprocess/modules/behaviour.subprocess.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, module], { timeout: 25_000 });
  expect(JSON.parse(stdout)).toEqual({ returned: 42, killed: 'enough' });
});

const quiet: Omit<SubprocessContext, 'input'> = {
  signal: new AbortController().signal,
  progress: async () => {},
  log: () => {},
};

type Runner = Pick<SubprocessPool, 'run'>;

async function run(
  input: Behaviour,
  context: Partial<SubprocessContext> = {},
  runner: Runner = { run: runInSubprocess },
): Promise<unknown> {
  return runner.run(behaviour, { ...quiet, ...context, input });
}

/** Aborts as soon as the module says that it has begun. */
async function runAndAbort(input: Behaviour, runner?: Runner): Promise<unknown> {
  const controller = new AbortController();
  const progress = async () => controller.abort(cancelled);
  return run(input, { signal: controller.signal, progress }, runner);
}

function runModule(path: string): Promise<unknown> {
  return runInSubprocess(new URL(path, import.meta.url), { ...quiet, input: null });
}

function makePool(limits: Partial<ConstructorParameters<typeof SubprocessPool>[0]>): SubprocessPool {
  const pool = new SubprocessPool({ maxThreads: 2, memoryMb: 256, graceMs: 1_000, ...limits });
  pools.push(pool);
  return pool;
}

/** The error that a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    (value) => new Error(`expected an error, got ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error(`expected an Error, got ${String(outcome)}`);
}
