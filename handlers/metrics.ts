import { Metrics } from '@aws-lambda-powertools/metrics';
import type { MetricsSetting } from '../src/config.js';
import type { DrainSummary, WaitingJob } from '../src/index.js';
import type { LambdaContext } from './lambda-context.js';
import { longestWaitOf } from './longest-wait.js';

/** A metric of one invocation. */
export type Metric = readonly [name: string, unit: 'Count' | 'Seconds' | 'Milliseconds', value: number];

/** Publishes the metrics of an invocation. */
export type PublishMetrics = (context: LambdaContext, metrics: readonly Metric[]) => void;

/** The CloudWatch namespace, in which the alarms of serverless.yml look for metrics. */
const NAMESPACE = 'remote-processor';

/** Metrics that alarms need. Each metric costs $0.30 a month. Figures in a log line cost nothing extra. */
const ofAlarms: ReadonlySet<string> = new Set(['Errors', 'OldestWaiting', 'OldestUnclaimed', 'Refused']);

/**
 * Writes figures as a line in CloudWatch's embedded metric format. CloudWatch makes metrics of all figures, or of the
 * ones that alarms need. Their dimension `service` is the function's name. Other figures appear only in the line.
 */
export function cloudWatchMetrics(which: MetricsSetting): PublishMetrics {
  return ({ functionName, awsRequestId }, metrics) => {
    const line = new Metrics({ namespace: NAMESPACE, serviceName: functionName });
    for (const [name, unit, value] of metrics) {
      if (which === 'all' || ofAlarms.has(name)) line.addMetric(name, unit, value);
      else line.addMetadata(name, `${value}`);
    }
    line.addMetadata('requestId', awsRequestId);
    line.publishStoredMetrics();
  };
}

/** A refused request to the HTTP API. Its key was missing, wrong or insufficient. */
export const refused: Metric = ['Refused', 'Count', 1];

export function workerMetrics(summary: DrainSummary, durationMs: number): Metric[] {
  return [
    ['Claimed', 'Count', summary.claimed],
    ['Completed', 'Count', summary.completed],
    ['Retried', 'Count', summary.retried],
    ['Errors', 'Count', summary.errors],
    ['Cancelled', 'Count', summary.cancelled],
    ['Snoozed', 'Count', summary.snoozed],
    ['Suspended', 'Count', summary.suspended],
    ['GivenBack', 'Count', summary.givenBack],
    ['Stale', 'Count', summary.stale],
    ['Unsettled', 'Count', summary.unsettled],
    ['Abandoned', 'Count', summary.abandoned],
    ['Remaining', 'Count', summary.remaining],
    ['Duration', 'Milliseconds', durationMs],
  ];
}

/** The results of one invocation of the scheduler. */
export interface Tick {
  /** The number of jobs made for scheduler items. */
  readonly made: number;
  /** The number of attempts recovered from crashed workers. */
  readonly recovered: number;
  readonly waiting: readonly WaitingJob[];
  /** The number of jobs that wait for a place in a limit, up to 10,000. */
  readonly blocked: number;
}

export function schedulerMetrics({ made, recovered, waiting, blocked }: Tick, durationMs: number): Metric[] {
  return [
    ['Made', 'Count', made],
    ['Recovered', 'Count', recovered],
    ['Blocked', 'Count', blocked],
    ['OldestWaiting', 'Seconds', toSeconds(longestWaitOf(waiting))],
    ['OldestUnclaimed', 'Seconds', toSeconds(longestWaitOf(waiting.filter(({ claimable }) => !claimable)))],
    ['Duration', 'Milliseconds', durationMs],
  ];
}

function toSeconds(ms: number): number {
  return Math.round(ms / 1000);
}
