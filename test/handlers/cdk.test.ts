/** The construct for CDK. `test/serverless.test.ts` compares what it makes by default with `serverless.yml`. */
import { join } from 'node:path';
import { App, CfnParameter, Duration, Stack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { beforeAll, expect, inject, test } from 'vitest';
import { checkProps } from '../../handlers/cdk/check-props.js';
import { JobProcessor, type JobProcessorProps } from '../../handlers/cdk/index.js';
import { cdkResources, withProps } from '../cdk-template.js';
import type { Resource } from '../package-functions.js';

let changed: readonly Resource[];
let withoutHttp: readonly Resource[];
beforeAll(async () => {
  const produce = (jobs: JobProcessor, stack: Stack) => {
    const code = Code.fromInline('exports.handler = () => {};');
    const runtime = Runtime.NODEJS_22_X;
    jobs.letAddJobs(new LambdaFunction(stack, 'Producer', { code, runtime, handler: 'index.handler' }));
  };
  [changed = [], withoutHttp = []] = await cdkResources(
    withProps(() => ({
      name: 'shop-prod',
      maxWorkers: 1,
      environment: { QUEUES: 'mails', WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true' },
      workerTimeout: Duration.minutes(10),
      workerConcurrency: 2,
      http: { access: 'iam', rateLimit: 7, concurrency: 5 },
      alarms: { jobErrors: 20, silentMinutes: 3 },
    })),
    withProps(() => ({ http: false }), produce),
  );
});

test('with iam every route asks API Gateway who calls, except the health check, the links of callbacks, and what browsers ask before they sign', () => {
  const access = ofType('AWS::ApiGatewayV2::Route', changed).map(({ RouteKey, AuthorizationType }) => [
    RouteKey,
    AuthorizationType,
  ]);
  expect(Object.fromEntries(access)).toEqual({
    'GET /health': 'NONE',
    'GET /callbacks/{token}': 'NONE',
    'POST /callbacks/{token}': 'NONE',
    'ANY /': 'AWS_IAM',
    'ANY /{proxy+}': 'AWS_IAM',
    'OPTIONS /{proxy+}': 'NONE',
  });
  expect(functionNamed('shop-prod-http')).toMatchObject({
    ReservedConcurrentExecutions: 5,
    Environment: { Variables: { HTTP_ACCESS: 'iam' } },
  });
  expect(ofType('AWS::ApiGatewayV2::Stage', changed)).toMatchObject([
    { DefaultRouteSettings: { ThrottlingRateLimit: 7, ThrottlingBurstLimit: 200 } },
  ]);
});

test('properties change names, limits, variables and alarms', () => {
  expect(functionNamed('shop-prod-worker')).toMatchObject({
    Timeout: 600,
    ReservedConcurrentExecutions: 2,
    Environment: {
      Variables: { QUEUES: 'mails', MAX_WORKERS: '1', WORKER_FUNCTION_NAME: 'shop-prod-worker' },
    },
  });
  expect(ofType('AWS::Lambda::EventSourceMapping', changed)).toMatchObject([
    { ScalingConfig: { MaximumConcurrency: 2 } },
  ]);
  expect(ofType('AWS::SQS::Queue', changed)).toMatchObject([{ QueueName: 'shop-prod-wakeups' }]);
  expect(JSON.stringify(changed)).not.toContain('remote-processor-dev');
  expect(ofType('AWS::CloudWatch::Alarm', changed)).toMatchObject([
    { AlarmName: 'shop-prod-scheduler-silent', EvaluationPeriods: 3 },
    {},
    {},
    { AlarmName: 'shop-prod-job-errors', Threshold: 20 },
    ...Array(4).fill({}),
  ]);
});

test('without the HTTP API there is nothing of it', () => {
  expect(ofType('AWS::CloudWatch::Alarm', withoutHttp)).toHaveLength(6);
  expect(JSON.stringify(withoutHttp)).not.toMatch(/ApiGateway|-http\b|HttpLog/);
});

test('a producer may wake the worker, and nothing else', () => {
  const [producer] = ofType('AWS::Lambda::Function', withoutHttp).filter(({ FunctionName }) => !FunctionName);
  expect(producer).toMatchObject({
    Environment: { Variables: { WAKE_UP_QUEUE_URL: { Ref: 'WakeUpQueue' } } },
  });
  expect(ofType('AWS::IAM::Policy', withoutHttp)).toMatchObject([
    {
      PolicyDocument: {
        Statement: [
          {
            Action: 'sqs:SendMessage',
            Resource: { 'Fn::Sub': expect.stringMatching(/:remote-processor-dev-wakeups$/) },
          },
        ],
      },
    },
  ]);
});

test('properties with which no stack works are refused, all at once', () => {
  const props: JobProcessorProps = {
    bundles: '',
    secret: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:remote-processor/dev-a1b2c3',
    name: 'my shop',
    maxThreads: 0,
    workerConcurrency: 5,
    environment: { MONGODB_URI: 'mongodb://not-to-be-shown', LOG_LEVEL: 'loud', WEBHOOK_SECRET: '' },
    alarms: { jobErrors: 0 },
  };
  const stack = emptyStack('Refused');
  const make = () => new JobProcessor(stack, 'Jobs', props);
  for (const problem of [
    'bundles',
    'secret: expected the name of a secret such as remote-processor/prod, neither its ARN nor nothing',
    'name: expected up to 50 letters, digits, or any of _ -, not "my shop"',
    'maxThreads',
    'workerConcurrency: expected at least maxWorkers',
    'environment.MONGODB_URI: expected in the secret, not here',
    'environment.LOG_LEVEL: expected one of debug, info, warn, error, not "loud"',
    'alarms.jobErrors',
  ])
    expect(make).toThrow(problem);
  expect(make).not.toThrow('not-to-be-shown');
  expect(stack.node.children).toEqual([]);
});

test.each([
  ['an unknown one', { workerTimout: 1 }, 'workerTimout'],
  ['a number for a Duration', { workerTimeout: 300 }, 'expected a Duration of CDK'],
  ['an unknown one of the API', { http: { acess: 'iam' } }, 'http'],
  ['an unknown way to admit callers', { http: { access: 'iamm' } }, 'http'],
  ['true for the API', { http: true }, 'http: expected false, or { access'],
])('without a compiler, %s is refused too', (_, given, problem) => {
  const stack = emptyStack('Refused');
  const props = { bundles: 'dist', secret: 'remote-processor/prod', ...given };
  expect(() => Reflect.construct(JobProcessor, [stack, 'Jobs', props])).toThrow(problem);
  expect(stack.node.children).toEqual([]);
});

test.each<[object, string]>([
  [{ workerTimeout: Duration.minutes(16) }, 'workerTimeout: expected whole seconds'],
  [{ workerTimeout: Duration.millis(1500) }, 'workerTimeout: expected whole seconds'],
  [{ workerTimeout: Duration.seconds(0) }, 'workerTimeout: expected whole seconds'],
  [{ workerMemorySize: 127 }, 'workerMemorySize: expected a whole number from 128 to 10240'],
  [{ workerMemorySize: 10_241 }, 'workerMemorySize: expected a whole number from 128 to 10240'],
  [{ maxWorkers: 1001, workerConcurrency: 1001 }, 'maxWorkers'],
  [{ logRetention: 2 }, 'logRetention: expected a value of RetentionDays'],
  [{ http: { rateLimit: 0 } }, 'http.rateLimit: expected a whole number from 1'],
  [{ http: { burstLimit: 1.5 } }, 'http.burstLimit: expected a whole number from 1'],
  [{ http: { concurrency: 0 } }, 'http.concurrency: expected a whole number from 1'],
])('what AWS would refuse is refused before it is deployed: %j', (given, problem) => {
  const stack = emptyStack('Refused');
  const props = { bundles: 'dist', secret: 'remote-processor/prod', ...given };
  expect(() => new JobProcessor(stack, 'Jobs', props)).toThrow(problem);
  expect(stack.node.children).toEqual([]);
});

test('numbers that only the deployment knows pass', () => {
  const { valueAsNumber } = new CfnParameter(emptyStack('Parameters'), 'Size', { type: 'Number' });
  const props = {
    bundles: 'dist',
    secret: 'remote-processor/prod',
    workerMemorySize: valueAsNumber,
    workerTimeout: Duration.seconds(valueAsNumber),
    http: { rateLimit: valueAsNumber },
  };
  expect(() => checkProps(props)).not.toThrow();
});

/** Without a folder, an app makes one that nobody removes. */
function emptyStack(name: string): Stack {
  return new Stack(new App({ outdir: join(inject('programsFolder'), 'cdk') }), name);
}

function ofType(type: string, from: readonly Resource[]): Resource['Properties'][] {
  return from.filter(({ Type }) => Type === type).map(({ Properties }) => Properties);
}

function functionNamed(name: string): Resource['Properties'] | undefined {
  return ofType('AWS::Lambda::Function', changed).find(({ FunctionName }) => FunctionName === name);
}
