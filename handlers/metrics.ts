import { Metrics } from '@aws-lambda-powertools/metrics';
import type { MetricsSetting } from '../src/config.js';
import type { DrainSummary, WaitingJob } from '../src/index.js';
import type { LambdaContext } from './lambda-context.js';

/** A figure of one invocation. */
export type Metric = readonly [name: string, unit: 'Count' | 'Seconds' | 'Milliseconds', value: number];

/** Where the figures of an invocation go. */
export type PublishMetrics = (context: LambdaContext, metrics: readonly Metric[]) => void;

/** In CloudWatch. The alarms of serverless.yml look there. */
const NAMESPACE = 'remote-processor';

/** Those that the alarms need. Each metric costs 0.30 $ a month; figures in a log do not. */
const ofAlarms: ReadonlySet<string> = new Set(['Errors', 'OldestWaiting', 'OldestUnclaimed', 'Refused']);

/**
 * Writes the figures as one line of CloudWatch's embedded metric format. Of all, or of those that the alarms need,
 * CloudWatch makes metrics, under the dimension `service`, which is the name of the function. The others stand in the line.
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

/** A request to the HTTP API was refused: no key, a wrong one, or one that does not suffice. */
export const refused: Metric = ['Refused', 'Count', 1];

/** What one invocation of the worker did. */
export function workerMetrics(summary: DrainSummary, durationMs: number): Metric[] {
  return [
    ['Claimed', 'Count', summary.claimed],
    ['Completed', 'Count', summary.completed],
    ['Retried', 'Count', summary.retried],
    ['Errors', 'Count', summary.errors],
    ['Cancelled', 'Count', summary.cancelled],
    ['Snoozed', 'Count', summary.snoozed],
    ['GivenBack', 'Count', summary.givenBack],
    ['Stale', 'Count', summary.stale],
    ['Unsettled', 'Count', summary.unsettled],
    ['Abandoned', 'Count', summary.abandoned],
    ['Remaining', 'Count', summary.remaining],
    ['Duration', 'Milliseconds', durationMs],
  ];
}

/** What one invocation of the scheduler did and found. */
export interface Tick {
  /** Jobs of scheduler items. */
  readonly made: number;
  /** Attempts of workers that crashed. */
  readonly recovered: number;
  readonly waiting: readonly WaitingJob[];
}

export function schedulerMetrics({ made, recovered, waiting }: Tick, durationMs: number): Metric[] {
  return [
    ['Made', 'Count', made],
    ['Recovered', 'Count', recovered],
    ['OldestWaiting', 'Seconds', toSeconds(longestWaitOf(waiting))],
    ['OldestUnclaimed', 'Seconds', toSeconds(longestWaitOf(waiting.filter(({ claimable }) => !claimable)))],
    ['Duration', 'Milliseconds', durationMs],
  ];
}

/** In milliseconds; 0 when none waits. */
export function longestWaitOf(waiting: readonly WaitingJob[]): number {
  return Math.max(0, ...waiting.map(({ waitedMs }) => waitedMs));
}

function toSeconds(ms: number): number {
  return Math.round(ms / 1000);
}
