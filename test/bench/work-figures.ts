import type { ContenderName } from './contenders/contender.js';
import type { Results } from './results.js';
import type { Worked } from './work.js';

const MIB = 2 ** 20;

/** The names of figures that other files refer to. */
export const COMMANDS_PER_JOB = 'commands per job';
export const JOBS_PER_SECOND = 'jobs/s';
export const WORKER_CPU = 'CPU time of the worker per job, ms';

/** Adds the figures of any work to the results. */
export function addWorked(results: Results, under: string, contender: ContenderName, worked: Worked): void {
  const { workerCpuMsPerJob, serverCpuMsPerJob } = worked;
  results.add({ under, name: COMMANDS_PER_JOB, decimals: 2 }, contender, worked.commandsPerJob);
  results.add({ under, name: 'bytes over the wire per job' }, contender, worked.bytesPerJob);
  results.add({ under, name: JOBS_PER_SECOND, better: 'more' }, contender, worked.jobsPerSecond);
  const cpu = { under, better: 'less', decimals: 2 } as const;
  results.add({ ...cpu, name: WORKER_CPU }, contender, workerCpuMsPerJob);
  if (serverCpuMsPerJob !== undefined)
    results.add({ ...cpu, name: 'CPU time of the server per job, ms' }, contender, serverCpuMsPerJob);
  results.add({ under, name: 'peak memory of the worker, MiB' }, contender, worked.peakMemoryBytes / MIB);
}
