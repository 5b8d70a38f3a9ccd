import { Gauge, type Registry } from 'prom-client';
import { longestWaitOf } from '../../handlers/longest-wait.js';
import { rememberedFor } from '../../handlers/remembered-for.js';
import type { CappedCount, Queue, RemoteProcessor, Severity, WaitingJob } from '../../src/index.js';
import { withinTime } from '../../src/mongo/within-time.js';

/** The time for which values are kept and shown again. So several scrapers cost the database no more than one. */
const REMEMBERED_MS = 15_000;

/** The same time for the verdict. It is longer because the rules of the verdict look at minutes. */
const VERDICT_REMEMBERED_MS = 60_000;

const severities = ['failure', 'warning'] as const satisfies readonly Severity[];

/** The longest wait for the database. Prometheus waits 10 s for all metrics of a process. */
const MAX_WAIT_MS = 5_000;

/** Maximum number of queues. Reading them, in one page, costs two commands as a rule, and 33 at most. */
const MAX_QUEUES = 100;

interface Backlog {
  readonly queues: readonly Queue[];
  readonly waiting: readonly WaitingJob[];
  readonly blocked: CappedCount;
  /** The database's time. */
  readonly now: Date;
}

/** The part of a processor that asks the database. */
export type Asked = Pick<RemoteProcessor, 'queues' | 'jobs' | 'verdict'>;

/**
 * Makes metrics of the jobs that wait in the database. Returns a function that reads the database. Call the function
 * before each scrape. If the database does not answer, `database_up` is the only metric.
 *
 * @param now returns the database's time
 */
export function measureDatabase(
  processor: Asked,
  registers: Registry[],
  now: () => Promise<Date>,
): () => Promise<void> {
  const gauges = backlogGauges(registers);
  const isUp = new Gauge({
    name: 'remote_processor_database_up',
    help: 'Whether the database answers.',
    registers,
  });
  const findings = new Gauge({
    name: 'remote_processor_findings',
    help: 'What the verdict on the deployment finds wrong, by severity.',
    labelNames: ['severity'] as const,
    registers,
  });
  const judge = rememberedFor(VERDICT_REMEMBERED_MS, () => processor.verdict());
  const read = rememberedFor(REMEMBERED_MS, async (): Promise<Backlog> => {
    const [{ queues }, waiting, blocked] = await Promise.all([
      processor.queues.list({ limit: MAX_QUEUES }),
      processor.jobs.oldestWaiting(),
      processor.jobs.countBlocked(),
    ]);
    return { queues, waiting, blocked, now: await now() };
  });
  return async () => {
    const [backlog, verdict] = await Promise.all([
      withinTime(MAX_WAIT_MS, read()).catch(() => undefined),
      withinTime(MAX_WAIT_MS, judge()).catch(() => undefined),
    ]);
    findings.reset();
    for (const severity of verdict ? severities : [])
      findings.set({ severity }, verdict?.findings.filter((one) => one.severity === severity).length ?? 0);
    isUp.set(backlog ? 1 : 0);
    gauges.clear();
    if (backlog) gauges.show(backlog);
  };
}

function backlogGauges(registers: Registry[]) {
  const jobs = new Gauge({
    name: 'remote_processor_queue_jobs',
    help: 'Queued jobs by queue, counted up to 10,000: ready ones are due, delayed ones are not.',
    labelNames: ['queue', 'state'] as const,
    registers,
  });
  const oldest = new Gauge({
    name: 'remote_processor_queue_oldest_wait_seconds',
    help: 'How long the longest-waiting job of a queue has been due.',
    labelNames: ['queue'] as const,
    registers,
  });
  const blockedJobs = new Gauge({
    name: 'remote_processor_blocked_jobs',
    help: 'Queued jobs that wait for a place in a limit, counted up to 10,000.',
    registers,
  });
  const oldestWait = new Gauge({
    name: 'remote_processor_oldest_wait_seconds',
    help: 'How long the longest-waiting job has been due, except in paused queues.',
    registers,
  });
  const oldestUnclaimed = new Gauge({
    name: 'remote_processor_oldest_unclaimed_seconds',
    help: 'How long the longest-waiting of the jobs that this process does not take has been due.',
    registers,
  });

  function clear(): void {
    for (const gauge of [jobs, oldest]) gauge.reset();
    for (const gauge of [blockedJobs, oldestWait, oldestUnclaimed]) gauge.remove();
  }

  function show({ queues, waiting, blocked, now }: Backlog): void {
    for (const { name: queue, ready, delayed, oldest: since } of queues) {
      jobs.set({ queue, state: 'ready' }, ready.count);
      jobs.set({ queue, state: 'delayed' }, delayed.count);
      oldest.set({ queue }, since ? Math.max(0, now.getTime() - since.getTime()) / 1000 : 0);
    }
    blockedJobs.set(blocked.count);
    oldestWait.set(longestWaitOf(waiting) / 1000);
    oldestUnclaimed.set(longestWaitOf(waiting.filter(({ claimable }) => !claimable)) / 1000);
  }

  return { clear, show };
}
