import { availableParallelism, totalmem } from 'node:os';
import type { SubprocessContext } from '../job/job-context.js';
import type { SubprocessPool } from './subprocess-pool.js';
import { threadFile } from './thread-file.js';

/** Share of the memory for all threads together. The worker itself needs the rest. */
const SHARE_OF_MEMORY = 1 / 2;

/** Minimum memory of a thread, below which Node hardly starts. */
const MIN_MEMORY_MB = 64;

/**
 * How long a module may take to end after its signal. A shorter time leaves none to clean up. With a longer one, the thread
 * competes for the CPU with the next run of the job. A worker gives a job back after 5 s, well after this time.
 */
const GRACE_MS = 1_000;

/**
 * The pool of the process. It is created for the first subprocess job, so that a worker without such jobs never loads piscina.
 */
let pool: Promise<SubprocessPool> | undefined;

/**
 * Runs the default export of a module in a thread of the process's pool, which has at most as many threads as CPUs. The module
 * gets a `SubprocessContext`. Its input crosses as a structured clone: dates and bytes stay the same, and class instances
 * become plain objects. An output or progress that cannot be stored is refused as in the worker's own thread.
 *
 * When the context's signal fires, so does the module's. A module that has not ended a second later is killed. A module that
 * exits, loops forever or runs out of memory fails alone.
 *
 * @param onThread called when the module gets its thread. Until then, the module waits for earlier ones
 * @throws the module's own error (a RemoteException stays one), or the signal's reason
 * @throws RemoteException in a bundle that lacks the file that threads start from
 * @throws SubprocessError if the module could not be loaded or its thread died
 */
export async function runInSubprocess(
  module: URL,
  context: SubprocessContext,
  onThread?: () => void,
): Promise<unknown> {
  if (pool === undefined) threadFile(); // Throws in a bundle without the file, where piscina cannot be loaded either.
  pool ??= makePool();
  return (await pool).run(module, context, onThread);
}

/**
 * Terminates all threads, whatever they are doing. The next job starts new ones. A process can end without this, since
 * idle threads do not keep it alive.
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
