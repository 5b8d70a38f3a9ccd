import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RemoteException, RetryAfter, Snooze } from '../../../src/errors.js';
import type { SubprocessContext } from '../../../src/job/job-context.js';
import { odd } from '../odd.js';

/** The instruction of a test to the module. */
export type Behaviour =
  | { readonly do: 'return'; readonly value: unknown }
  /** A value of `odd`, by its name. */
  | { readonly do: 'return odd' | 'throw odd' | 'report odd'; readonly what: string }
  | {
      readonly do: 'loop' | 'wait' | 'obey' | 'throw' | 'throw text' | 'snooze' | 'retry after' | 'refuse';
    }
  | { readonly do: 'sleep'; readonly ms: number }
  /** Waits until the file exists. */
  | { readonly do: 'wait for file'; readonly path: string }
  | { readonly do: 'report'; readonly values: readonly unknown[] }
  | { readonly do: 'tell' | 'tell too much' | 'tell and exit' }
  | { readonly do: 'exit' | 'throw later' | 'fill the memory' }
  | { readonly do: 'meet'; readonly counter: Int32Array };

const MEETING_MS = 20_000;

/** Does what its input says. */
export default async function behave({
  input,
  signal,
  progress,
  log,
}: SubprocessContext<Behaviour>): Promise<unknown> {
  switch (input.do) {
    case 'return':
      return input.value;
    case 'return odd':
      return odd(input.what);
    case 'throw odd':
      throw odd(input.what);
    case 'report odd':
      return progress(odd(input.what));
    case 'sleep':
      return new Promise((resolve) => setTimeout(() => resolve('slept'), input.ms));
    case 'wait for file':
      void progress('begun');
      while (!existsSync(input.path)) await sleep(10);
      return 'found';
    case 'report': {
      for (const value of input.values) await progress(value);
      return 'reported';
    }
    case 'tell':
      log('first', { n: 1 });
      await progress(1, 2, 'half');
      log('last');
      return progress(3, 2);
    case 'tell too much':
      return log('much', { text: 'a'.repeat(2_000) });
    case 'tell and exit':
      for (let n = 1; n <= 50; n += 1) log(`line ${n}`);
      void progress('the end');
      return process.exit(3);
    case 'throw':
      throw Object.assign(new RangeError('out of range', { cause: new Error('the cause') }), {
        code: 'E_RANGE',
      });
    case 'throw text':
      throw 'only a text';
    case 'snooze':
      throw new Snooze('1m');
    case 'retry after':
      throw new RetryAfter('2m', 'busy');
    case 'refuse':
      throw new RemoteException('do not retry', { cause: new TypeError('the cause') });
    case 'wait':
      void progress('begun');
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    case 'obey':
      void progress('begun');
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve([signal.reason instanceof Error, signal.reason.code]));
      });
    case 'loop':
      void progress('begun');
      for (;;);
    case 'exit':
      process.exit(3);
      break;
    case 'throw later':
      setTimeout(() => {
        throw new Error('thrown by a timer');
      });
      return new Promise(() => {});
    case 'fill the memory': {
      const kept: unknown[] = [];
      for (;;) kept.push(new Array(1000).fill(kept));
    }
    case 'meet':
      return meet(input.counter);
  }
}

/** Blocks this thread until another does the same. Returns `alone` unless both run at once. */
function meet(counter: Int32Array): string {
  if (Atomics.add(counter, 0, 1) === 1) {
    Atomics.notify(counter, 0);
    return 'met';
  }
  return Atomics.wait(counter, 0, 1, MEETING_MS) === 'timed-out' ? 'alone' : 'met';
}
