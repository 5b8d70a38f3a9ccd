import { availableParallelism, totalmem } from 'node:os';
import type { SubprocessContext } from '../job/job-context.js';
import type { SubprocessPool } from './subprocess-pool.js';
import { threadFile } from './thread-file.js';

/** The share of the memory for all threads together. The worker itself needs the rest. */
const SHARE_OF_MEMORY = 1 / 2;

/** The memory without which Node itself hardly starts. */
const MIN_MEMORY_MB = 64;

/**
 * Well below the 5 seconds after which a worker gives a job back. A shorter grace costs a tidy end. A longer one leaves a
 * thread that competes for the CPU with the next run of the job.
 */
const GRACE_MS = 1_000;

/** The pool of the process. It is made for the first subprocess job, so a worker without such jobs never loads piscina. */
let pool: Promise<SubprocessPool> | undefined;

/**
 * Runs the default export of a module in a thread of the process's pool, which has at most as many threads as CPUs. The
 * module gets a `SubprocessContext`. Its input crosses as a structured clone: dates and bytes stay the same, and class
 * instances become plain objects. An output or progress that cannot be stored is refused as in the worker's own thread.
 *
 * When the context's signal fires, so does the module's. A module that has not ended a second later is killed. A module that
 * exits, loops for ever or runs out of memory fails alone.
 *
 * @param onThread called when the module gets its thread. Until then it waits for earlier ones
 * @throws the module's own error (a RemoteException stays one), or the signal's reason
 * @throws RemoteException in a bundle that lacks the file that threads start from
 * @throws SubprocessError when the module could not be loaded or its thread died
 */
export async function runInSubprocess(
  module: URL,
  context: SubprocessContext,
  onThread?: () => void,
): Promise<unknown> {
  if (pool === undefined) threadFile(); // In a bundle without it, not even piscina can be loaded.
  pool ??= makePool();
  return (await pool).run(module, context, onThread);
}

/**
 * Terminates the threads, whatever they do. The next job starts new ones. A process can end without this, since idle threads
 * do not hold it.
 */
export async function closeSubprocessPool(): Promise<void> {
  const closing = pool;
  pool = undefined;
  await (await closing)?.close();
}

async function makePool(): Promise<SubprocessPool> {
  const { SubprocessPool } = await import('./subprocess-pool.js');
  const maxThreads = availableParallelism();
  return new SubprocessPool({ maxThreads, memoryMb: memoryPerThread(maxThreads), graceMs: GRACE_MS });
}

function memoryPerThread(threads: number): number {
  const totalMb = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) / 2 ** 20;
  return Math.max(MIN_MEMORY_MB, Math.floor((totalMb * SHARE_OF_MEMORY) / threads));
}
