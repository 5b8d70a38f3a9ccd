import { Duration } from 'aws-cdk-lib';
import { type IRule, type IRuleTarget, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** The lowest maximum concurrency that SQS's event source mapping allows. */
export const LEAST_WORKERS = 2;

const everyMinute = Schedule.rate(Duration.minutes(1));

/** How long AWS tries to deliver a tick. After a minute, the next tick replaces it. */
const MAX_AGE = Duration.seconds(60);
const MAX_RETRIES = 3;

/** Starts the scheduler every minute. */
export function startEveryMinute(scope: Construct, scheduler: lambda.Function): void {
  const target = new targets.LambdaFunction(scheduler, { maxEventAge: MAX_AGE, retryAttempts: MAX_RETRIES });
  new Rule(scope, 'SchedulerTick', { schedule: everyMinute, targets: [target] });
}

/**
 * Makes the queue that wakes the worker. Its messages are ticks, kicks, and messages delayed until a job is due. They
 * carry no data, so a lost or repeated message does no harm. A failed message expires before it could come again.
 */
export function makeWakeUpQueue(scope: Construct, name: string): Queue {
  return new Queue(scope, 'WakeUpQueue', {
    queueName: `${name}-wakeups`,
    retentionPeriod: Duration.minutes(20), // A message is delayed by 15 minutes at most.
    visibilityTimeout: Duration.minutes(90), // AWS asks for six times the function's timeout, which is 15 minutes at most.
    encryption: QueueEncryption.SQS_MANAGED,
  });
}

/** Makes the queue start workers, at each message and every minute. */
export function startByQueue(
  scope: Construct,
  worker: lambda.Function,
  queue: Queue,
  maxWorkers: number,
): void {
  new lambda.EventSourceMapping(scope, 'WakeUpMapping', {
    target: worker,
    eventSourceArn: queue.queueArn,
    batchSize: 10,
    reportBatchItemFailures: true,
    maxConcurrency: Math.max(maxWorkers, LEAST_WORKERS),
  });
  const tick = new Rule(scope, 'WakeUpTick', { schedule: everyMinute, targets: [wakeUpThrough(queue)] });
  queue.addToResourcePolicy(mayWakeUp(tick, queue));
}

/** Makes the queue the target of the rule, which may only send to it. CDK's own target would allow the rule more. */
function wakeUpThrough(queue: Queue): IRuleTarget {
  return {
    bind: () => ({
      arn: queue.queueArn,
      input: RuleTargetInput.fromObject({ wakeUp: {} }),
      retryPolicy: {
        maximumEventAgeInSeconds: MAX_AGE.toSeconds(),
        maximumRetryAttempts: MAX_RETRIES,
      },
    }),
  };
}

function mayWakeUp(tick: IRule, queue: Queue): PolicyStatement {
  return new PolicyStatement({
    principals: [new ServicePrincipal('events.amazonaws.com')],
    actions: ['sqs:SendMessage'],
    resources: [queue.queueArn],
    conditions: { ArnEquals: { 'aws:SourceArn': tick.ruleArn } },
  });
}
