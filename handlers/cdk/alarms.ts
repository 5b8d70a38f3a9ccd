import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import * as z from 'zod';

/** When the alarms go off. Each is a whole number from 1 on. */
export interface AlarmThresholds {
  /** Minutes without an invocation of the scheduler. Default: 5. */
  readonly silentMinutes: number;
  /** Seconds since the oldest job was due. Default: 600. */
  readonly oldestWaitingSeconds: number;
  /** Seconds since the oldest job was due whose code or queue this deployment does not have. Default: 300. */
  readonly unclaimedSeconds: number;
  /** Jobs that ended in error within 5 minutes. Default: 1. */
  readonly jobErrors: number;
  /** Requests within 5 minutes that were refused because their key was missing, wrong or insufficient. Default: 100. */
  readonly refused: number;
  /** Invocations that failed within 5 minutes. Default: 1. */
  readonly functionErrors: number;
  /** Invocations within 5 minutes that Lambda refused because too many ran at once. Default: 10. */
  readonly throttles: number;
  /** Answers of the HTTP API with a status of 500 or more, within 5 minutes. Default: 1. */
  readonly serverErrors: number;
}

const fromOne = (value: number) => z.int().min(1).max(1e9).default(value);

export const thresholdsSchema = z.strictObject({
  silentMinutes: z.int().min(1).max(1440).default(5), // AWS limits the periods of an alarm to a day.
  oldestWaitingSeconds: fromOne(600),
  unclaimedSeconds: fromOne(300),
  jobErrors: fromOne(1),
  refused: fromOne(100),
  functionErrors: fromOne(1),
  throttles: fromOne(10),
  serverErrors: fromOne(1),
});

/** The namespace of our own metrics. */
const NAMESPACE = 'remote-processor';

const minute = Duration.minutes(1);
const fiveMinutes = Duration.minutes(5);

export interface AlarmOptions {
  /** Beginning of the names of functions and alarms. */
  readonly name: string;
  /** The HTTP API. Without it, the alarms leave out the API and its function. */
  readonly api: HttpApi | undefined;
  readonly topic: ITopic | undefined;
  readonly thresholds: Partial<AlarmThresholds> | undefined;
}

/** Makes the alarms of the stack. */
export function makeAlarms(scope: Construct, options: AlarmOptions): Alarm[] {
  const { name, topic } = options;
  return planAlarms(options).map(({ id, ...props }) => {
    const alarm = new Alarm(scope, `${id}Alarm`, {
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...props,
      alarmName: `${name}-${props.alarmName}`,
    });
    if (topic) notify(alarm, new SnsAction(topic));
    return alarm;
  });
}

function notify(alarm: Alarm, action: SnsAction): void {
  alarm.addAlarmAction(action);
  alarm.addOkAction(action);
  if (alarm.node.id === SILENT) alarm.addInsufficientDataAction(action);
}

const SILENT = 'SchedulerSilentAlarm';

type PlannedAlarm = Pick<AlarmProps, 'metric' | 'threshold'> &
  Partial<AlarmProps> & { readonly id: string; readonly alarmName: string };

function planAlarms({ name, api, thresholds = {} }: AlarmOptions): PlannedAlarm[] {
  const least = thresholdsSchema.parse(thresholds);
  const functions = ['scheduler', 'worker', ...(api ? ['http'] : [])];
  return [
    {
      id: 'SchedulerSilent',
      alarmName: 'scheduler-silent',
      alarmDescription: `The scheduler has not run for ${least.silentMinutes} minutes. Schedules stand still, and jobs of crashed workers wait.`,
      metric: ofFunction('Invocations', `${name}-scheduler`, minute),
      threshold: 1,
      evaluationPeriods: least.silentMinutes,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      // Lambda reports no metric if there are no invocations, so INSUFFICIENT_DATA triggers this alarm. A new alarm
      // begins in that state and tells only of changes, so a first deployment does not trigger it. If missing data
      // counted as breaching, each first deployment would.
      treatMissingData: TreatMissingData.MISSING,
      actionsEnabled: true,
    },
    {
      id: 'OldestWaiting',
      alarmName: 'oldest-waiting',
      alarmDescription: `A job has been due for ${least.oldestWaitingSeconds} seconds. The workers fail, or are too few.`,
      metric: ofOurs('OldestWaiting', `${name}-scheduler`, 'Maximum', minute),
      threshold: least.oldestWaitingSeconds,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.IGNORE, // A silent scheduler has an alarm of its own.
    },
    {
      id: 'Unclaimed',
      alarmName: 'unclaimed',
      alarmDescription: `A job has been due for ${least.unclaimedSeconds} seconds that this deployment has no code for, or whose queue it does not take. The log of the scheduler tells which.`,
      metric: ofOurs('OldestUnclaimed', `${name}-scheduler`, 'Maximum', minute),
      threshold: least.unclaimedSeconds,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.IGNORE,
    },
    {
      id: 'JobErrors',
      alarmName: 'job-errors',
      alarmDescription: 'Jobs ended in error. The log of the worker tells which, and why.',
      metric: ofOurs('Errors', `${name}-worker`, 'Sum', fiveMinutes),
      threshold: least.jobErrors,
    },
    ...(api ? [refusedAlarm(name, least)] : []),
    {
      id: 'FunctionErrors',
      alarmName: 'function-errors',
      alarmDescription:
        'Invocations failed, by an error, a timeout, or because a job went on and its container ended.',
      metric: ofFunctions('Errors', name, functions),
      threshold: least.functionErrors,
    },
    {
      id: 'Throttles',
      alarmName: 'throttles',
      alarmDescription:
        'Invocations found no room. The account, or what is reserved for a function, allows too few at a time; jobs wait, and requests get a 503.',
      metric: ofFunctions('Throttles', name, functions),
      threshold: least.throttles,
    },
    ...(api ? [serverErrorsAlarm(api, least)] : []),
  ];
}

function refusedAlarm(name: string, { refused }: AlarmThresholds): PlannedAlarm {
  return {
    id: 'Refused',
    alarmName: 'refused',
    alarmDescription: `${refused} requests were refused within 5 minutes. Somebody tries keys, or a client has a wrong one. The warnings in the log of the http function tell the addresses.`,
    metric: ofOurs('Refused', `${name}-http`, 'Sum', fiveMinutes),
    threshold: refused,
  };
}

function serverErrorsAlarm(api: HttpApi, { serverErrors }: AlarmThresholds): PlannedAlarm {
  return {
    id: 'ServerErrors',
    alarmName: 'server-errors',
    alarmDescription:
      'The HTTP API answered with a status of 500 or more. The log of the http function tells why, unless it could not be invoked. To Lambda an answer is a success.',
    metric: api.metricServerError({ statistic: 'Sum', period: fiveMinutes }),
    threshold: serverErrors,
  };
}

function ofOurs(metricName: string, service: string, statistic: string, period: Duration): Metric {
  return new Metric({ namespace: NAMESPACE, metricName, dimensionsMap: { service }, statistic, period });
}

function ofFunction(metricName: string, functionName: string, period: Duration): Metric {
  const dimensionsMap = { FunctionName: functionName };
  return new Metric({ namespace: 'AWS/Lambda', metricName, dimensionsMap, statistic: 'Sum', period });
}

function ofFunctions(metricName: string, name: string, functions: readonly string[]): MathExpression {
  const metrics = functions.map((each) => [each, ofFunction(metricName, `${name}-${each}`, fiveMinutes)]);
  return new MathExpression({
    expression: 'SUM(METRICS())',
    label: `${metricName} of ${functions.slice(0, -1).join(', ')} and ${functions.at(-1)}`,
    usingMetrics: Object.fromEntries(metrics),
    period: fiveMinutes,
  });
}
