import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RemoteProcessor } from '../../src/index.js';
import { LabelValues } from './label-values.js';

/** Maximum number of job names in labels. A deployment has fewer kinds of jobs. */
const MAX_JOBS = 100;

/** Maximum number of queue names in labels. There may be a queue for each tenant. */
const MAX_QUEUES = 100;

/** Maximum number of names of limits in labels. */
const MAX_LIMITS = 100;

/** Buckets in seconds, from a job that only writes something to one that takes a quarter of an hour. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];

/** The part of a processor that the metrics of a process need. */
export type Measured = Pick<RemoteProcessor, 'on' | 'maxThreads'> & { readonly isProcessing: boolean };

/**
 * Makes metrics of a processor's events.
 *
 * @param now returns the database's time, with which waits are measured
 */
export function measureAttempts(processor: Measured, registers: Registry[], now: () => Promise<Date>): void {
  const jobs = new LabelValues(MAX_JOBS);
  const queues = new LabelValues(MAX_QUEUES);
  const limits = new LabelValues(MAX_LIMITS);
  const ended = new Counter({
    name: 'remote_processor_attempts_ended_total',
    help: 'Attempts that ended, by job name, queue and outcome.',
    labelNames: ['job', 'queue', 'outcome'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'remote_processor_run_duration_seconds',
    help: "How long the jobs' functions ran.",
    labelNames: ['job'] as const,
    buckets,
    registers,
  });
  const wait = new Histogram({
    name: 'remote_processor_wait_seconds',
    help: 'How long jobs had been due when they began to run.',
    labelNames: ['queue'] as const,
    buckets,
    registers,
  });
  const limitWait = new Histogram({
    name: 'remote_processor_limit_wait_seconds',
    help: 'How long jobs waited for a limit, by its name, without its keys.',
    labelNames: ['limit'] as const,
    buckets,
    registers,
  });
  const claims = new Counter({
    name: 'remote_processor_claims_total',
    help: 'Claims that took jobs.',
    registers,
  });
  const claimed = new Counter({
    name: 'remote_processor_claimed_jobs_total',
    help: 'Jobs that claims took.',
    registers,
  });
  const lost = new Counter({
    name: 'remote_processor_leases_lost_total',
    help: 'Leases that this process lost, or that it found expired and recovered.',
    registers,
  });
  const circuitsOpened = new Counter({
    name: 'remote_processor_circuits_opened_total',
    help: 'How often this process opened a circuit breaker, by job name.',
    labelNames: ['job'] as const,
    registers,
  });
  const running = new Set<string>();
  new Gauge({
    name: 'remote_processor_running_jobs',
    help: 'Jobs that run, or whose outcome is being written.',
    registers,
    collect() {
      this.set(running.size);
    },
  });
  new Gauge({
    name: 'remote_processor_free_slots',
    help: 'How many more jobs this process could run now.',
    registers,
    collect() {
      this.set(processor.isProcessing ? Math.max(0, processor.maxThreads - running.size) : 0);
    },
  });

  processor.on('jobsClaimed', ({ count }) => {
    claims.inc();
    claimed.inc(count);
  });
  processor.on('attemptStarted', async ({ jobId, attempt, queue, dueSince }) => {
    running.add(`${attempt} ${jobId}`);
    const began = await now();
    wait.observe({ queue: queues.of(queue) }, Math.max(0, began.getTime() - dueSince.getTime()) / 1000);
  });
  processor.on('attemptEnded', ({ jobId, jobName, attempt, queue, outcome, durationMs }) => {
    running.delete(`${attempt} ${jobId}`);
    ended.inc({ job: jobs.of(jobName), queue: queues.of(queue), outcome });
    if (durationMs !== undefined) duration.observe({ job: jobs.of(jobName) }, durationMs / 1000);
  });
  processor.on('jobWaited', ({ limit, waitedMs }) =>
    limitWait.observe({ limit: limits.of(limit) }, waitedMs / 1000),
  );
  processor.on('leaseLost', () => lost.inc());
  processor.on('circuitOpened', ({ jobName }) => circuitsOpened.inc({ job: jobs.of(jobName) }));
}
