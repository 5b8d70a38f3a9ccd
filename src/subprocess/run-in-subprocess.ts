import { availableParallelism, totalmem } from 'node:os';
import type { SubprocessContext } from '../job/define-job.js';
import type { SubprocessPool } from './subprocess-pool.js';

/** The threads together get this part of the memory there is; the rest is for the worker itself. */
const SHARE_OF_MEMORY = 1 / 2;

/** Below this Node itself hardly starts. */
const MIN_MEMORY_MB = 64;

/**
 * Well below the 5 seconds that a worker waits before it gives a job back: too short costs a tidy end, too long
 * leaves a thread that competes for the CPU with whoever runs the job next.
 */
const GRACE_MS = 1_000;

/** One for the process, and none before the first subprocess job: a worker without any never loads piscina. */
let pool: Promise<SubprocessPool> | undefined;

/**
 * Runs the default export of a module in a thread of the process's pool, which has at most as many threads as there
 * are CPUs. The module is given a `SubprocessContext`; its input crosses as a structured clone (dates and bytes stay what
 * they are, class instances become plain objects). What cannot be stored in an output or progress is refused as it is in
 * the worker's own thread.
 *
 * When the context's signal fires, the module's fires too; a module that has not ended a second later is killed.
 * One that exits, loops for ever or runs out of memory fails alone.
 *
 * @param onThread called when there is a thread for it: before, it waits for those that came first
 * @throws what the module throws, a RemoteException as one; the signal's reason; SubprocessError when the module
 *   could not be loaded or its thread died
 */
export async function runInSubprocess(
  module: URL,
  context: SubprocessContext,
  onThread?: () => void,
): Promise<unknown> {
  pool ??= makePool();
  return (await pool).run(module, context, onThread);
}

/**
 * Terminates the threads, whatever they do. Not needed for a process to end (idle threads do not hold it), but then
 * nothing is left of them. The next job starts new ones.
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
