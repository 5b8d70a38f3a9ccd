import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { RemoteException } from '../errors.js';
import type { SubprocessContext } from '../job/job-context.js';
import { Slots } from '../slots.js';
import { converse, forwardAbort, hearLastWords } from './conversation.js';
import type { Ending, Task } from './messages.js';
import { reviveCrossing } from './revive-crossing.js';
import { reviveError } from './serialized-error.js';
import { sourceFile, threadArguments } from './source-file.js';
import { SubprocessError } from './subprocess-error.js';
import { threadFile } from './thread-file.js';

/**
 * How long an idle thread is kept. Starting one takes about 50 ms, which the next job then saves. An idle thread keeps memory,
 * but does not keep the process alive.
 */
const IDLE_MS = 1_000;

export interface PoolLimits {
  readonly maxThreads: number;
  /** Maximum heap of a thread. A job that needs more fails alone, and its thread ends. */
  readonly memoryMb: number;
  /** How long a job may take to end after its signal fires. Its thread is terminated afterwards. */
  readonly graceMs: number;
}

/**
 * Runs modules in a pool of threads, which are reused. A module's own state persists from one job to the next. Work that a job
 * leaves running continues during the next job.
 */
export class SubprocessPool {
  readonly #limits: PoolLimits;
  readonly #starting = new Set<AbortController>();
  /**
   * Replaces piscina's own queue. In piscina 5.3 without a minimum of idle threads, a task may wait forever after a thread has
   * died by exit, out of memory, or abort. Only a new task makes piscina start another thread.
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
   * @param onThread called when the module gets its thread
   * @throws the value that the module threw. An error keeps its name, message, stack, causes and fields, and a
   *   RemoteException stays one
   * @throws the signal's reason
   * @throws RemoteException if the output cannot be sent
   * @throws SubprocessError if the module ended in any other way
   */
  run(module: URL, context: SubprocessContext, onThread?: () => void): Promise<unknown> {
    const file = sourceFile(module);
    this.#threads ??= this.#makeThreads(file);
    const threads = this.#threads;
    const runInThread = () => {
      onThread?.();
      return this.#runInThread(threads, file.href, context);
    };
    return this.#slots.use(runInThread, context.signal);
  }

  /** Terminates all threads, whatever they are doing. The pool can be used again. */
  async close(): Promise<void> {
    await this.#threads?.destroy();
  }

  #makeThreads(file: URL): Piscina {
    const threads = new Piscina({
      filename: threadFile().href,
      minThreads: 0,
      maxThreads: this.#limits.maxThreads,
      idleTimeout: IDLE_MS,
      execArgv: threadArguments(file),
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.memoryMb },
    });
    // A thread failed without a task: it could not start, or something that a job left running threw.
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

/** Resolves when the thread is done with the task, however the task ended. Rejects if the thread itself failed. */
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
