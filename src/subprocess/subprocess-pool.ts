import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { RemoteException } from '../errors.js';
import type { SubprocessContext } from '../job/define-job.js';
import { converse, forwardAbort, hearLastWords } from './conversation.js';
import type { Ending, Task } from './messages.js';
import { reviveCrossing } from './revive-crossing.js';
import { reviveError } from './serialized-error.js';
import { Slots } from './slots.js';
import { sourceFile, threadArguments } from './source-file.js';
import { SubprocessError } from './subprocess-error.js';

/**
 * A thread that was idle for this long goes away. Starting one takes about 50 ms, which a job that follows at once
 * should not pay; an idle thread keeps no process alive, but it does keep memory.
 */
const IDLE_MS = 1_000;

/** How large a pool may get. */
export interface PoolLimits {
  readonly maxThreads: number;
  /** Heap of one thread. A job that needs more fails, and its thread ends; nothing else does. */
  readonly memoryMb: number;
  /** How long a job has to end after its signal fired; then its thread is terminated. */
  readonly graceMs: number;
}

/**
 * Runs modules in a pool of threads. Threads are reused: a module's own state lives on from one job to the next, and
 * what a job leaves running goes on in the next one's time.
 */
export class SubprocessPool {
  readonly #limits: PoolLimits;
  readonly #starting = new Set<AbortController>();
  /**
   * Why not piscina's own queue: without a minimum of idle threads, what waits there waits for ever once a thread
   * has died (piscina 5.3: exit, out of memory, abort), for only a new task makes it start another.
   */
  readonly #slots: Slots;
  #threads: Piscina | undefined;

  constructor(limits: PoolLimits) {
    this.#limits = limits;
    this.#slots = new Slots(limits.maxThreads);
  }

  /**
   * Runs the default export of `module`. The context's signal, progress and log work across the thread.
   *
   * @param onThread called when there is a thread for it
   * @throws what the module throws: an error with its name, message, stack, causes and fields (a RemoteException as one),
   *   anything else as it is; the signal's reason; RemoteException when its output cannot be sent; SubprocessError when it
   *   ended in any other way
   */
  run(module: URL, context: SubprocessContext, onThread?: () => void): Promise<unknown> {
    const file = sourceFile(module);
    this.#threads ??= this.#makeThreads(file);
    const threads = this.#threads;
    return this.#slots.use(context.signal, () => {
      onThread?.();
      return this.#runInThread(threads, file.href, context);
    });
  }

  /** Terminates all threads, whatever they do. The pool can be used again. */
  async close(): Promise<void> {
    await this.#threads?.destroy();
  }

  #makeThreads(file: URL): Piscina {
    const threads = new Piscina({
      filename: sourceFile(new URL('./thread.js', import.meta.url)).href,
      minThreads: 0,
      maxThreads: this.#limits.maxThreads,
      idleTimeout: IDLE_MS,
      execArgv: threadArguments(file),
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.memoryMb },
    });
    // A thread without a task failed: it could not start, or something that a job left behind threw.
    threads.on('error', (error: unknown) => {
      for (const kill of this.#starting) kill.abort(error);
    });
    return threads;
  }

  async #runInThread(threads: Piscina, module: string, context: SubprocessContext): Promise<unknown> {
    const { port1: port, port2 } = new MessageChannel();
    const kill = new AbortController();
    const stopForwarding = forwardAbort(context.signal, port, this.#limits.graceMs, () => kill.abort());
    this.#starting.add(kill);
    try {
      const ending = converse(port, context, () => this.#starting.delete(kill));
      await post(threads, { module, input: context.input, port: port2 }, kill.signal, context.signal);
      return resultOf(await ending, context.signal);
    } finally {
      this.#starting.delete(kill);
      stopForwarding();
      hearLastWords(port, context);
      port.close();
    }
  }
}

/** Resolves when the thread is done with the task, however it ended; rejects when the thread failed. */
async function post(threads: Piscina, task: Task, kill: AbortSignal, signal: AbortSignal): Promise<void> {
  try {
    await threads.run(task, { transferList: [task.port], signal: kill });
  } catch (error) {
    signal.throwIfAborted();
    const cause: unknown = kill.aborted ? kill.reason : error;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new SubprocessError(task.module, `its thread failed: ${message}`, { cause });
  }
}

function resultOf(ending: Ending, signal: AbortSignal): unknown {
  switch (ending.kind) {
    case 'returned':
      return reviveCrossing(ending.output);
    case 'unsendable':
      throw new RemoteException(`Its output cannot be sent from its thread: ${ending.reason}`);
    case 'aborted':
      throw signal.reason;
    case 'threw':
      throw reviveError(ending.error, reviveCrossing);
  }
}
