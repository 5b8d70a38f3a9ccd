import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { jobs } from '../handlers/jobs.js';
import { refused, schedulerMetrics, workerMetrics } from '../handlers/metrics.js';
import { readWakeUp } from '../handlers/wake-up-event.js';
import { readConfig } from '../src/config.js';
import { DEFAULT_COLLECTION_PREFIX } from '../src/mongo/collection-prefix.js';
import { cdkResources, withProps } from './cdk-template.js';
import { useDatabase } from './database.js';
import { LambdaService } from './handlers/lambda-service.js';
import { SecretsService } from './handlers/secrets-service.js';
import { install, invoke, type Packaged, packageFunctions, type Resource } from './package-functions.js';
import { samResources } from './sam-template.js';

const secrets = {
  MONGODB_URI: 'mongodb://somebody:not-to-be-packaged@db.example.com',
  API_KEYS: `id:admin:${'ab'.repeat(32)}`,
  SESSION_SECRETS: 'not-to-be-packaged-as-well-not-to-be-packaged',
  WEBHOOK_SECRET: 'not-to-be-packaged-either',
  WEBHOOK_SECRETS: 'https://hooks.example.com=not-to-be-packaged-at-all',
  ALERT_WEBHOOK_URL: 'https://hooks.example.com/not-to-be-packaged',
  ALERT_WEBHOOK_SECRET: 'not-to-be-packaged-either-way',
};
const names = ['scheduler', 'worker', 'http'] as const;
/** With the one that is invoked by hand. */
const all = [...names, 'ensureIndexes'] as const;
type Name = (typeof all)[number];

/** Of alarms: where our metrics are, and how most are compared. */
const own = ['remote-processor'] as const;
const atLeast = ['GreaterThanOrEqualToThreshold'] as const;

const noTick = { made: 0, recovered: 0, waiting: [], blocked: 0 };
const noJobs = {
  claimed: 0,
  completed: 0,
  retried: 0,
  errors: 0,
  cancelled: 0,
  snoozed: 0,
  suspended: 0,
  givenBack: 0,
  stale: 0,
  unsettled: 0,
  abandoned: 0,
  remaining: 0,
};

const topic = 'arn:aws:sns:eu-central-1:123456789012:alarms';

let packaged: Packaged;
/** With about every parameter that is not set by default. */
let signed: Packaged;
beforeAll(async () => {
  packaged = await packageFunctions({ ...secrets, WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true' });
  signed = await packageFunctions(secrets, {
    httpAccess: 'iam',
    httpConcurrency: '5',
    workerConcurrency: '20',
    httpRateLimit: '7',
    secretsAt: 'deployment',
    wakeups: 'false',
    subnets: 'subnet-0a,subnet-0b',
    securityGroups: 'sg-0a',
    runtime: 'nodejs24.x',
    alarmTopic: topic,
  });
});
afterAll(() => Promise.all([packaged.remove(), signed.remove()]));

describe('the template', () => {
  test.each([
    ['scheduler', { Timeout: 60 }],
    ['worker', { Timeout: 300, RecursiveLoop: 'Allow' }],
    ['http', { Timeout: 29 }],
    ['ensureIndexes', { Timeout: 900, Handler: 'handlers/indexes.handler' }],
  ] as const)('has the function %s', (name, own) => {
    expect(lambda(name)).toMatchObject({
      FunctionName: `remote-processor-dev-${name}`,
      Handler: `handlers/${name}.handler`,
      ...own,
      Runtime: 'nodejs22.x',
      Architectures: ['arm64'],
    });
  });

  test('lets only the worker invoke itself', () => {
    expect(names.filter((name) => 'RecursiveLoop' in lambda(name))).toEqual(['worker']);
  });

  test('runs ten jobs at a time in the worker, and tells everyone its name for a kick', () => {
    expect(variables('worker')).toMatchObject({ MAX_THREADS: '10' });
    for (const name of names)
      expect(variables(name).WORKER_FUNCTION_NAME).toBe('remote-processor-dev-worker');
  });

  test('tells every function what decides who may add which job', () => {
    for (const name of names) {
      const { WEBHOOK_ALLOW_PRIVATE_ADDRESSES: allowed } = variables(name);
      const webhook = jobs(readConfig({ WEBHOOK_ALLOW_PRIVATE_ADDRESSES: `${allowed ?? ''}` })).find(
        (job) => job.name === 'webhook',
      );
      expect([name, webhook?.addRole]).toEqual([name, 'admin']);
    }
  });

  test('starts the scheduler every minute, and the worker through the queue of wake-ups', () => {
    const rules = ofType('AWS::Events::Rule').map(({ Properties }) => Properties);
    const minutely = (State: string, target: string) => ({
      ScheduleExpression: 'rate(1 minute)',
      State,
      Targets: [{ Arn: { 'Fn::GetAtt': [target, 'Arn'] } }],
    });
    expect(rules).toMatchObject([
      minutely('ENABLED', 'SchedulerLambdaFunction'),
      minutely('DISABLED', 'WorkerLambdaFunction'),
      minutely('ENABLED', 'WakeUpQueue'),
    ]);
    const body = tickSchema.parse(rules[2]).Targets[0].Input ?? '';
    const event = { Records: [{ eventSource: 'aws:sqs', body }] };
    expect(readWakeUp(event)).toEqual({ workers: 1 });
  });

  test('lets the queue start as many workers at a time as may run, and asks it for nothing to be kept', () => {
    expect(packaged.resources.WakeUpMapping?.Properties).toEqual({
      EventSourceArn: { 'Fn::GetAtt': ['WakeUpQueue', 'Arn'] },
      FunctionName: { Ref: 'WorkerLambdaFunction' },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: '10' },
    });
    const { MessageRetentionPeriod: kept, VisibilityTimeout: hidden } = numbersOf('WakeUpQueue');
    expect(kept).toBeGreaterThan(900);
    expect(hidden).toBeGreaterThanOrEqual(6 * Number(lambda('worker').Timeout));
    expect(hidden).toBeGreaterThan(Number(kept));
  });

  test('tells everyone the queue of wake-ups, into which nobody else may send than they and the tick', () => {
    for (const name of names) expect(variables(name).WAKE_UP_QUEUE_URL).toEqual({ Ref: 'WakeUpQueue' });
    expect(packaged.resources.WakeUpQueuePolicy?.Properties).toMatchObject({
      PolicyDocument: {
        Statement: [
          {
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['WakeUpTick', 'Arn'] } } },
          },
        ],
      },
    });
  });

  test('has EventBridge try no longer to deliver a tick than until the next', () => {
    for (const { Properties } of ofType('AWS::Events::Rule')) {
      expect(Properties).toMatchObject({
        Targets: [{ RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 3 } }],
      });
    }
  });

  test('does not retry their invocations, nor run them late', () => {
    const configs = ofType('AWS::Lambda::EventInvokeConfig').map(({ Properties }) => Properties);
    expect(configs.map(({ FunctionName }) => FunctionName)).toEqual([
      { Ref: 'SchedulerLambdaFunction' },
      { Ref: 'WorkerLambdaFunction' },
    ]);
    for (const config of configs) {
      expect(config).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
    }
  });

  test('has the routes of the HTTP API', () => {
    const routes = ofType('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey);
    expect(routes.toSorted()).toEqual([
      'ANY /',
      'ANY /{proxy+}',
      'GET /callbacks/{token}',
      'GET /health',
      'OPTIONS /{proxy+}',
      'POST /callbacks/{token}',
    ]);
  });

  test('lets callers in by their keys, and no one else decides', () => {
    const routes = ofType('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties);
    expect(routes.filter((properties) => 'AuthorizationType' in properties)).toEqual([]);
    expect(variables('http')).toMatchObject({ HTTP_ACCESS: 'keys' });
  });

  test.each(names)('tells %s what the names of collections begin with', (name) => {
    expect(variables(name)).toMatchObject({ COLLECTION_PREFIX: DEFAULT_COLLECTION_PREFIX });
  });

  test('keeps the logs for 30 days', () => {
    const groups = [
      ...all.map((name) => `/aws/lambda/remote-processor-dev-${name}`),
      '/aws/http-api/remote-processor-dev',
    ];
    expect(ofType('AWS::Logs::LogGroup').map(({ Properties }) => Properties)).toEqual(
      groups.map((LogGroupName) => ({ LogGroupName, RetentionInDays: 30 })),
    );
  });

  test('takes so many requests a second and no more, and logs each where it comes in', () => {
    const [stage] = ofType('AWS::ApiGatewayV2::Stage');
    expect(stage?.Properties).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      AccessLogSettings: {
        DestinationArn: { 'Fn::GetAtt': ['HttpApiLogGroup', 'Arn'] },
        Format: expect.stringContaining('"address":"$context.identity.sourceIp"'),
      },
    });
    expect(JSON.stringify(stage)).not.toMatch(/context\.path|authorization/i);
  });

  test('reserves no concurrency of the account, and is in no VPC, unless it is told so', () => {
    expect(all.filter((name) => 'ReservedConcurrentExecutions' in lambda(name))).toEqual([]);
    expect(all.filter((name) => 'VpcConfig' in lambda(name))).toEqual([]);
    expect(JSON.stringify(packaged.resources)).not.toContain('ec2:');
  });

  test('has nothing left in it that does not hold: what is empty there would be wrong', () => {
    const template = JSON.stringify(packaged.resources);
    expect(template).not.toMatch(/Fn::If|AWS::NoValue|"Condition":"|:\[""\]/);
  });

  test('gives each function a role of its own, for its own log, for starting the worker, and for its secret', () => {
    const roles = all.map((name) => lambda(name).Role);
    expect(roles).toEqual(
      ['SchedulerRole', 'WorkerRole', 'HttpRole', 'EnsureIndexesRole'].map((id) => ({
        'Fn::GetAtt': [id, 'Arn'],
      })),
    );
    expect(ofType('AWS::IAM::Role')).toHaveLength(4);
    for (const [index, name] of all.entries()) {
      expect(ofType('AWS::IAM::Role')[index]?.Properties).toEqual({
        AssumeRolePolicyDocument: expect.objectContaining({
          Statement: [
            { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
          ],
        }),
        Policies: [
          { PolicyName: name, PolicyDocument: { Version: '2012-10-17', Statement: statements(name) } },
        ],
      });
    }
  });

  test.each([
    ['SchedulerSilentAlarm', 'AWS/Lambda', 'Invocations', 'scheduler', 'LessThanThreshold', 1, 'missing'],
    ['OldestWaitingAlarm', ...own, 'OldestWaiting', 'scheduler', ...atLeast, 600, 'ignore'],
    ['UnclaimedAlarm', ...own, 'OldestUnclaimed', 'scheduler', ...atLeast, 300, 'ignore'],
    ['JobErrorsAlarm', ...own, 'Errors', 'worker', ...atLeast, 1, 'notBreaching'],
    ['RefusedAlarm', ...own, 'Refused', 'http', ...atLeast, 100, 'notBreaching'],
  ] as const)('has the alarm %s', (id, namespace, metric, name, comparison, threshold, missing) => {
    expect(packaged.resources[id]?.Properties).toMatchObject({
      Namespace: namespace,
      MetricName: metric,
      Dimensions: [{ Value: `remote-processor-dev-${name}` }],
      ComparisonOperator: comparison,
      Threshold: threshold,
      TreatMissingData: missing,
    });
  });

  test('calls the scheduler silent when it was not invoked in five minutes, and not before it was first', () => {
    // An alarm begins without data, and tells only of changes.
    expect(signed.resources.SchedulerSilentAlarm?.Properties).toMatchObject({
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 5,
      TreatMissingData: 'missing',
      InsufficientDataActions: [topic],
      ActionsEnabled: true,
    });
  });

  test.each([
    ['FunctionErrorsAlarm', 'Errors', 1],
    ['ThrottlesAlarm', 'Throttles', 10],
  ])('has the alarm %s for all functions together', (id, metric, least) => {
    const { Metrics: metrics, Threshold: threshold } = packaged.resources[id]?.Properties ?? {};
    expect(threshold).toBe(least);
    expect(metrics).toMatchObject([
      { Expression: 'SUM(METRICS())' },
      ...names.map((name) => ({
        ReturnData: false,
        MetricStat: {
          Metric: {
            Namespace: 'AWS/Lambda',
            MetricName: metric,
            Dimensions: [{ Name: 'FunctionName', Value: `remote-processor-dev-${name}` }],
          },
        },
      })),
    ]);
  });

  test('has an alarm for what the http function answers with a status of 500 or more', () => {
    expect(packaged.resources.ServerErrorsAlarm?.Properties).toMatchObject({
      Namespace: 'AWS/ApiGateway',
      MetricName: '5xx',
      Dimensions: [{ Name: 'ApiId', Value: { Ref: 'HttpApi' } }],
      Statistic: 'Sum',
      Threshold: 1,
      TreatMissingData: 'notBreaching',
    });
  });

  test('has no alarm for a metric that its function does not publish', () => {
    const published = {
      worker: workerMetrics(noJobs, 0),
      scheduler: schedulerMetrics(noTick, 0),
      http: [refused],
    };
    const ours = ofType('AWS::CloudWatch::Alarm').filter(({ Properties }) => Properties.Namespace === own[0]);
    expect(ours).toHaveLength(4);
    for (const { Properties } of ours) {
      const dimensions = JSON.stringify(Properties.Dimensions);
      const name = names.find((known) => dimensions.includes(`remote-processor-dev-${known}"`)) ?? 'worker';
      expect(Properties.Dimensions).toMatchObject([{ Name: 'service' }]);
      expect(published[name].map(([metric]) => metric)).toContain(Properties.MetricName);
    }
  });

  test('tells a topic of every alarm, and of its end, if there is one', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm');
    expect(alarms).toHaveLength(8);
    expect(alarms.filter(({ Properties }) => 'AlarmActions' in Properties)).toEqual([]);
    for (const { Properties } of ofType('AWS::CloudWatch::Alarm', signed))
      expect(Properties).toMatchObject({ AlarmActions: [topic], OKActions: [topic] });
  });

  test('has no circle', () => {
    expect(circleIn(packaged.resources)).toBeUndefined();
    expect(circleIn(signed.resources)).toBeUndefined();
  });

  test('finds a circle if there is one', () => {
    const resource = { Type: 'x', DependsOn: [] };
    const a = { ...resource, Properties: { b: { 'Fn::Sub': `arn:\${B}/\${!A}` } } };
    const b = { ...resource, Properties: { a: [{ 'Fn::GetAtt': ['A', 'Arn'] }] } };
    expect(circleIn({ A: a, B: b })).toEqual(['A', 'B', 'A']);
  });
});

describe('with --param httpAccess=iam --param wakeups=false, and others', () => {
  test('every route asks API Gateway who calls, except the health check, and what browsers ask before they sign', () => {
    const routes = Object.values(signed.resources).filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route');
    const access = routes.map(({ Properties }) => [Properties.RouteKey, Properties.AuthorizationType]);
    expect(Object.fromEntries(access)).toEqual({
      'GET /health': undefined,
      'ANY /': 'AWS_IAM',
      'ANY /{proxy+}': 'AWS_IAM',
      'OPTIONS /{proxy+}': undefined,
    });
  });

  test('limits are those that were given', () => {
    expect(signed.resources.HttpApiStage?.Properties).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: '7' },
    });
    expect(signed.resources.HttpLambdaFunction?.Properties.ReservedConcurrentExecutions).toBe('5');
    expect(signed.resources.WorkerLambdaFunction?.Properties.ReservedConcurrentExecutions).toBe('20');
  });

  test('every function runs in the VPC, and may make the interfaces that this takes', () => {
    for (const name of all) {
      expect(lambda(name, signed)).toMatchObject({
        Runtime: 'nodejs24.x',
        VpcConfig: {
          SubnetIds: { 'Fn::Split': [',', 'subnet-0a,subnet-0b'] },
          SecurityGroupIds: { 'Fn::Split': [',', 'sg-0a'] },
        },
      });
    }
    for (const { Properties } of ofType('AWS::IAM::Role', signed))
      expect(JSON.stringify(Properties)).toContain('ec2:CreateNetworkInterface');
  });

  test('without wake-ups the worker has its own tick, and no queue', () => {
    const rules = Object.values(signed.resources).filter(({ Type }) => Type === 'AWS::Events::Rule');
    expect(rules[1]?.Properties).toMatchObject({
      State: 'ENABLED',
      Targets: [{ Arn: { 'Fn::GetAtt': ['WorkerLambdaFunction', 'Arn'] } }],
    });
    expect(signed.resources.WorkerLambdaFunction?.Properties.Environment).toMatchObject({
      Variables: { WAKE_UP_QUEUE_URL: '' },
    });
    expect(Object.keys(signed.resources).filter((id) => id.startsWith('WakeUp'))).toEqual([]);
    expect(JSON.stringify(signed.resources.HttpRole)).toContain('lambda:InvokeFunction');
    expect(JSON.stringify(signed.resources)).not.toContain('sqs:');
  });

  test('the function heeds that, and has no keys', () => {
    expect(variables('http', signed)).toMatchObject({ HTTP_ACCESS: 'iam', API_KEYS: '' });
  });
});

/** Resources of a stack by another tool, with defaults, and in a VPC with a topic for alarms. */
interface Alike {
  readonly made: readonly Resource[];
  readonly chosen: readonly Resource[];
  readonly vpc: object;
}

async function bySam(): Promise<Alike> {
  const values = { 'AWS::StackName': 'remote-processor-dev', Secret: 'remote-processor/dev' };
  const chosen = { ...values, Subnets: 'subnet-0a', SecurityGroups: 'sg-0a', AlarmTopic: topic };
  return {
    made: await samResources(values),
    chosen: await samResources(chosen),
    vpc: { SubnetIds: 'subnet-0a', SecurityGroupIds: 'sg-0a' },
  };
}

async function byCdk(): Promise<Alike> {
  const chosen = withProps((stack) => ({
    vpc: Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: 'vpc-0a',
      availabilityZones: ['eu-central-1a'],
      privateSubnetIds: ['subnet-0a'],
    }),
    securityGroups: [SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0a')],
    alarmTopic: Topic.fromTopicArn(stack, 'Topic', topic),
  }));
  const [made = [], other = []] = await cdkResources(
    withProps(() => ({})),
    chosen,
  );
  return { made, chosen: other, vpc: { SubnetIds: ['subnet-0a'], SecurityGroupIds: ['sg-0a'] } };
}

describe.each([
  ['SAM template', bySam],
  ['CDK construct', byCdk],
])('the %s makes the same', (_, make) => {
  let alike: Alike;
  beforeAll(async () => {
    alike = await make();
  });

  const propertiesOf = (type: string, from: readonly Resource[]) =>
    from.filter(({ Type }) => Type === type).map(({ Properties }) => comparable(Properties));
  const ours = (type: string) => propertiesOf(type, Object.values(packaged.resources));

  test.each([
    'AWS::CloudWatch::Alarm',
    'AWS::IAM::Role',
    'AWS::Lambda::EventSourceMapping',
    'AWS::Logs::LogGroup',
    'AWS::SQS::Queue',
    'AWS::SQS::QueuePolicy',
  ])('%s', (type) => {
    expect(ours(type).length).toBeGreaterThan(0);
    expect(propertiesOf(type, alike.made)).toEqual(ours(type));
  });

  test.each(all)('function %s', (name) => {
    const [own] = propertiesOf('AWS::Lambda::Function', alike.made).filter(
      ({ FunctionName }) => FunctionName === `remote-processor-dev-${name}`,
    );
    const { FunctionName, Runtime, Architectures, MemorySize, Timeout, Role, RecursiveLoop } = comparable(
      lambda(name),
    );
    const same = { FunctionName, Runtime, Architectures, MemorySize, Timeout, Role, RecursiveLoop };
    expect({ RecursiveLoop: undefined, ...own }).toMatchObject(same);
    expect(settingsOf(environmentOf(own ?? {}))).toEqual(settingsOf(variables(name)));
  });

  test('handling of what fails, or is late', () => {
    const handling = (resources: readonly Resource[]) =>
      propertiesOf('AWS::Lambda::EventInvokeConfig', resources).map(
        ({ FunctionName, MaximumEventAgeInSeconds, MaximumRetryAttempts }) => ({
          FunctionName,
          MaximumEventAgeInSeconds,
          MaximumRetryAttempts,
        }),
      );
    expect(handling(alike.made)).toEqual(handling(Object.values(packaged.resources)));
  });

  test('ticks', () => {
    const ticks = (rules: readonly Resource['Properties'][]) =>
      rules.filter(({ State }) => State === 'ENABLED').map((rule) => tickSchema.parse(rule));
    const type = 'AWS::Events::Rule';
    expect(ticks(propertiesOf(type, alike.made))).toEqual(ticks(ours(type)));
  });

  test('HTTP API', () => {
    const keys = (routes: readonly Resource['Properties'][]) => routes.map(({ RouteKey }) => RouteKey).sort();
    const type = 'AWS::ApiGatewayV2::Route';
    expect(keys(propertiesOf(type, alike.made))).toEqual(keys(ours(type)));
    const [stage] = propertiesOf('AWS::ApiGatewayV2::Stage', alike.made);
    const [{ DefaultRouteSettings, AccessLogSettings } = {}] = ours('AWS::ApiGatewayV2::Stage');
    expect(stage).toMatchObject({ DefaultRouteSettings, AccessLogSettings });
  });

  test('kinds of resources, except those of the tool', () => {
    const ofTools = /^AWS::(S3::|Lambda::Permission|ApiGatewayV2::(Api|Integration)$)/;
    const kindsOf = (resources: readonly Resource[]) =>
      [...new Set(resources.map(({ Type }) => Type))].filter((kind) => !ofTools.test(kind)).toSorted();
    expect(kindsOf(alike.made)).toEqual(kindsOf(Object.values(packaged.resources)));
  });

  test('VPC, and alarms that tell a topic', () => {
    const mayUseVpc = (roles: readonly Resource['Properties'][]) =>
      roles.map((role) => JSON.stringify(role).match(/ec2:\w+/g));
    const theirs = Object.values(signed.resources);
    const type = 'AWS::IAM::Role';
    expect(mayUseVpc(propertiesOf(type, alike.chosen))).toEqual(mayUseVpc(propertiesOf(type, theirs)));
    for (const { VpcConfig } of propertiesOf('AWS::Lambda::Function', alike.chosen))
      expect(VpcConfig).toEqual(alike.vpc);
    const alarms = 'AWS::CloudWatch::Alarm';
    expect(propertiesOf(alarms, alike.chosen)).toEqual(propertiesOf(alarms, theirs));
  });
});

describe('a secret', () => {
  const reference = (key: string) => `{{resolve:secretsmanager:remote-processor/dev:SecretString:${key}}}`;

  test('is in no environment, which has the name of it, and may be read by every function', () => {
    for (const name of all) {
      const held = Object.entries(variables(name)).filter(([variable]) => variable in secrets);
      expect(held.filter(([, value]) => value !== '')).toEqual([]);
      expect(variables(name)).toMatchObject({ SECRET_ID: 'remote-processor/dev' });
    }
    expect(JSON.stringify(packaged.resources)).not.toContain('{{resolve:');
  });

  test('reaches with --param secretsAt=deployment only the function that needs it, by a reference', () => {
    const held = names.map((name) =>
      Object.entries(variables(name, signed)).filter(([, value]) => /resolve/.test(`${value}`)),
    );
    const mongodb = ['MONGODB_URI', reference('MONGODB_URI')];
    expect(held).toEqual([
      [
        mongodb,
        ['ALERT_WEBHOOK_URL', reference('ALERT_WEBHOOK_URL')],
        ['ALERT_WEBHOOK_SECRET', reference('ALERT_WEBHOOK_SECRET')],
      ],
      [
        mongodb,
        ['CALLBACK_SECRETS', reference('CALLBACK_SECRETS')],
        ['WEBHOOK_SECRET', reference('WEBHOOK_SECRET')],
        ['WEBHOOK_SECRETS', reference('WEBHOOK_SECRETS')],
      ],
      [mongodb, ['CALLBACK_SECRETS', reference('CALLBACK_SECRETS')]], // Of keys, it has none with --param httpAccess=iam. Else it would have these:
    ]);
    expect(httpAccessSchema.parse(JSON.parse(signed.state)).service.custom.httpAccess.keys).toMatchObject({
      apiKeys: reference('API_KEYS'),
      sessionSecrets: reference('SESSION_SECRETS'),
    });
    expect(names.map((name) => variables(name, signed).SECRET_ID)).toEqual(['', '', '']);
    expect(JSON.stringify(signed.resources)).not.toContain('secretsmanager:GetSecretValue');
  });

  test('is refused by its ARN, of which no permission can be made, and that before anything is built', async () => {
    const secret = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:remote-processor/dev-a1b2c3';
    await expect(packageFunctions(secrets, { secret })).rejects.toMatchObject({
      stdout: expect.stringContaining(
        '--param secret: expected the name of a secret such as remote-processor/prod',
      ),
    });
  });

  test('is neither in the template nor in a package, though the shell knows it', () => {
    const files = names.flatMap((name) =>
      Object.values(packageOf(name).files).map((file) => Buffer.from(file)),
    );
    for (const value of ['not-to-be-packaged', 'db.example.com', 'ab'.repeat(32)]) {
      expect(packaged.text).not.toContain(value);
      expect(files.filter((file) => file.includes(value))).toEqual([]);
    }
  });
});

test('parameters, and variables that are passed on, refuse what no stack works with, all at once, before anything is built', async () => {
  const failure = packageFunctions(
    { ...secrets, MAX_WORKERS: '5000', LINGER: 'long' },
    {
      wakups: 'false',
      wakeups: 'maybe',
      schedules: 'yes',
      httpAccess: 'IAM',
      secretsAt: 'once',
      metrics: 'some',
      subnets: 'subnet-a, subnet-b',
      collectionPrefix: 'a b$',
      corsOrigins: 'app.example.com',
      alarmTopic: 'mine',
      alarmJobErrors: 'many',
      workerTimeout: '1000',
      httpConcurrency: '0',
      workerConcurrency: '7',
    },
  );
  for (const problem of [
    '--param wakups: there is no such parameter; expected one of secret, ',
    "--param wakeups: expected true or false, not 'maybe'",
    "--param schedules: expected true or false, not 'yes'",
    "--param httpAccess: expected keys or iam, not 'IAM'",
    "--param secretsAt: expected start or deployment, not 'once'",
    "--param metrics: expected alarms or all, not 'some'",
    "--param subnets: expected ids of subnets such as subnet-0a1b, separated by commas, without blanks, not 'subnet-a, subnet-b'",
    'subnets and securityGroups go together: expected both, or neither',
    '--param collectionPrefix: expected up to 100 letters, digits, or any of _ . -',
    '--param corsOrigins: expected different origins such as https://app.example.com',
    "--param alarmTopic: expected the ARN of an SNS topic, not 'mine'",
    "--param alarmJobErrors: expected a whole number from 1 to 1000000000, not 'many'",
    "--param workerTimeout: expected a whole number from 1 to 900, not '1000'",
    "--param httpConcurrency: expected a whole number from 1 to 1000000, not '0'",
    '--param workerConcurrency: expected at least 5000',
    'MAX_WORKERS: expected a whole number from 1 to 1000, not "5000"',
    'LINGER: expected a duration such as 1m, at most 24 days, not "long"',
  ])
    await expect(failure).rejects.toMatchObject({ stdout: expect.stringContaining(problem) });
});

test('each parameter of serverless.yml is checked that a number, a list or a choice is expected of', async () => {
  const text = await readFile(new URL('../serverless.yml', import.meta.url), 'utf8');
  const [, defaults = ''] = /^params:\n {2}default:\n(.*?)\n {2}local:/ms.exec(text) ?? [];
  const names = [...defaults.matchAll(/^ {4}(\w+):/gm)].map(([, name]) => name);
  const checks = await readFile(new URL('../handlers/build/parameters.cjs', import.meta.url), 'utf8');
  const unchecked = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(checks));
  expect(names).toContain('workerConcurrency');
  // Secrets are never shown, the framework checks runtimes, and two are for this machine.
  expect(unchecked).toEqual([
    'mongodbUri',
    'apiKeys',
    'sessionSecrets',
    'callbackSecrets',
    'webhookSecret',
    'webhookSecrets',
    'alertWebhookUrl',
    'alertWebhookSecret',
    'lambdaEndpoint',
    'workFolder',
    'runtime',
  ]);
});

describe('the packages', () => {
  test('hold each one function, what it loads on demand, and the files its threads start from', () => {
    for (const name of names) {
      const files = Object.keys(packageOf(name).files);
      expect(files.filter((file) => !file.startsWith(`handlers/${name}.`))).toEqual([]);
      expect(files).toEqual(
        expect.arrayContaining([
          `handlers/${name}.handlers-jobs-checksum.subprocess.mjs`,
          `handlers/${name}.mjs`,
          `handlers/${name}.piscina-dist-worker.cjs`,
          `handlers/${name}.src-subprocess-thread.mjs`,
        ]),
      );
    }
  });

  test.each([
    ['worker', 600_000],
    ['scheduler', 600_000],
    ['http', 760_000],
  ] as const)('of %s stays within %d bytes', (name, limit) => {
    expect(packageOf(name).size).toBeLessThanOrEqual(limit);
  });
});

describe('unpacked, with Node and nothing else,', () => {
  const { uri, name: database, client, processor } = useDatabase();
  const settings = { MONGODB_URI: uri, MONGODB_DATABASE: database, LOG_LEVEL: 'warn', MAX_THREADS: '2' };

  test('the worker runs a subprocess job', async () => {
    const producer = processor();
    await producer.addJobFactories(jobs(readConfig({})));
    const data = Buffer.from('hello').toString('base64');
    const id = await producer.addJob('checksum', { data });
    expect(await runInstalled('worker', {}, settings)).toMatchObject({ claimed: 1, completed: 1 });
    expect(await producer.getJobResult(id)).toMatchObject({
      digest: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    });
  });

  test('the indexes are made, and told', async () => {
    const env = { ...settings, MONGODB_DATABASE: `${database}-made` };
    const makeIndexes = () => runInstalled('ensureIndexes', {}, env, 'indexes');

    expect(await makeIndexes()).toMatchObject({
      database: env.MONGODB_DATABASE,
      made: expect.arrayContaining([expect.stringContaining('jobs.claimable')]),
    });
    expect(await makeIndexes()).toMatchObject({ made: [] });
    await client.db(env.MONGODB_DATABASE).dropDatabase();
  });

  test('the scheduler finds nothing due', async () => {
    expect(await runInstalled('scheduler', {}, settings)).toEqual({ made: 0 });
  });

  test('the HTTP API answers', async () => {
    const answer = await runInstalled('http', requestOf('GET', '/health'), settings);
    expect(answer).toMatchObject({ statusCode: 200 });
  });

  test('the HTTP API reads its secret when it starts', async () => {
    const service = new SecretsService();
    await service.start();
    service.secret = JSON.stringify({ MONGODB_URI: uri, API_KEYS: `test:read:${digestOf(key)}` });
    const { MONGODB_URI: _, ...others } = settings;
    const answer = await runInstalled('http', requestOf('GET', '/v1/jobs'), {
      ...others,
      ...credentials,
      SECRET_ID: 'remote-processor/dev',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: service.url,
    }).finally(() => service.stop());
    expect(answer).toMatchObject({ statusCode: 200 });
    expect(service.asked).toEqual(['remote-processor/dev']);
  });

  test('the dashboard answers, and has with it what its pages need', async () => {
    const withSessions = { ...settings, SESSION_SECRETS: 'a-secret-for-the-tests-of-the-package' };
    const page = answerSchema.parse(await runInstalled('http', requestOf('GET', '/sign-in'), withSessions));
    expect(page).toMatchObject({ statusCode: 200 });
    const [style = ''] = /\/dashboard\/assets\/[\w.]+\.css/.exec(page.body) ?? [];
    const asset = await runInstalled('http', requestOf('GET', style), withSessions);
    expect(asset).toMatchObject({
      statusCode: 200,
      headers: { 'cache-control': 'public, max-age=31536000, immutable' },
    });
  });

  test('the HTTP API adds a job, and kicks the worker with the credentials in its environment', async () => {
    const service = new LambdaService();
    await service.start();
    const answer = await runInstalled(
      'http',
      requestOf('POST', '/v1/jobs', JSON.stringify({ name: 'echo', input: {} })),
      {
        ...settings,
        ...credentials,
        API_KEYS: `test:write:${digestOf(key)}`,
        WORKER_FUNCTION_NAME: 'the-worker',
        LAMBDA_ENDPOINT: service.url,
      },
    ).finally(() => service.stop());

    expect(answer).toMatchObject({ statusCode: 202 });
    expect(service.invocations).toEqual([
      expect.objectContaining({ path: '/2015-03-31/functions/the-worker/invocations', type: 'Event' }),
    ]);
  });

  test('an error is told by its class', async () => {
    const wrong = { ...settings, MONGODB_URI: 'nonsense' };
    await expect(runInstalled('worker', {}, wrong)).rejects.toThrow(
      /ValidationError: The environment is invalid/,
    );
  });
});

const answerSchema = z.object({ statusCode: z.int(), body: z.string() });

const key = 'the-key-of-a-test';

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** What Lambda gives a function. */
const credentials = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'nobody',
  AWS_SECRET_ACCESS_KEY: 'nothing',
};

function requestOf(method: string, path: string, body?: string) {
  return {
    version: '2.0',
    rawPath: path,
    rawQueryString: '',
    headers: { host: 'localhost', authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    requestContext: { http: { method, path }, domainName: 'localhost' },
    body,
    isBase64Encoded: false,
  };
}

async function runInstalled(
  name: Name,
  event: unknown,
  env: Readonly<Record<string, string>>,
  module: string = name,
): Promise<unknown> {
  const folder = await install(packageOf(name).files);
  try {
    return await invoke(folder, module, event, env);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function packageOf(name: Name): Packaged['packages'][string] {
  return packaged.packages[name] ?? { size: Number.NaN, files: {} };
}

function ofType(type: string, { resources }: Packaged = packaged): Resource[] {
  return Object.values(resources).filter(({ Type }) => Type === type);
}

function lambda(name: Name, from: Packaged = packaged): Resource['Properties'] {
  const found = ofType('AWS::Lambda::Function', from).find(({ Properties }) =>
    `${Properties.FunctionName}`.endsWith(name),
  );
  return found?.Properties ?? {};
}

function variables(name: Name, from: Packaged = packaged): Readonly<Record<string, unknown>> {
  return environmentOf(lambda(name, from));
}

function environmentOf({
  Environment: environment,
}: Resource['Properties']): Readonly<Record<string, unknown>> {
  return isObject(environment) && isObject(environment.Variables) ? environment.Variables : {};
}

/** What a function makes of its environment. An empty variable counts as not set. SAM knows no address of the API yet. */
function settingsOf({
  WAKE_UP_QUEUE_URL: queue,
  CALLBACK_URL: _,
  ...others
}: Readonly<Record<string, unknown>>) {
  expect(queue).toEqual({ Ref: 'WakeUpQueue' });
  const env = { ...others, WEBHOOK_ALLOW_PRIVATE_ADDRESSES: '' }; // Only this test sets it.
  return readConfig(z.record(z.string(), z.string()).parse(env));
}

/** Numbers become text, and a resource gets the name that it would have in the SAM template. */
function comparable(properties: Resource['Properties']): Resource['Properties'] {
  return jsonObject.parse(
    JSON.parse(JSON.stringify(properties), (_, value: unknown) => {
      if (typeof value === 'number') return `${value}`;
      return typeof value === 'string'
        ? value.replace(/^(\w+)LambdaFunction$/, '$1Function').replace(/^(HttpApiLog)Group$/, '$1')
        : value;
    }),
  );
}

const jsonObject = z.record(z.string(), z.unknown());

function statements(name: Name) {
  const arn = (service: string, rest: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest}`,
  });
  const log = arn('logs', `log-group:/aws/lambda/remote-processor-dev-${name}:*`);
  const queue = arn('sqs', 'remote-processor-dev-wakeups');
  const allow = (Action: string | readonly string[], Resource: object) => ({
    Effect: 'Allow',
    Action,
    Resource,
  });
  const secret = arn('secretsmanager', 'secret:remote-processor/dev-??????');
  const receive = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
  return [
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], log),
    ...(name === 'ensureIndexes' ? [] : [allow('sqs:SendMessage', queue)]),
    ...(name === 'worker' ? [allow(receive, queue)] : []),
    allow('secretsmanager:GetSecretValue', secret),
  ];
}

const httpAccessSchema = z.object({
  service: z.object({
    custom: z.object({ httpAccess: z.object({ keys: z.record(z.string(), z.string()) }) }),
  }),
});

const tickSchema = z.object({
  ScheduleExpression: z.string(),
  Targets: z.tuple([z.object({ Arn: z.unknown(), Input: z.string().optional(), RetryPolicy: z.unknown() })]),
});

function numbersOf(id: string): Record<string, number | undefined> {
  return z
    .record(z.string(), z.number().optional().catch(undefined))
    .parse(packaged.resources[id]?.Properties);
}

/** The ids along a circle of references, or undefined. */
function circleIn(resources: Readonly<Record<string, Resource>>): string[] | undefined {
  const done = new Set<string>();
  const follow = (id: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(id)) return [...path.slice(path.indexOf(id)), id];
    const resource = resources[id];
    if (!resource || done.has(id)) return undefined;
    const targets = [...resource.DependsOn, ...references(resource.Properties)];
    const circle = targets.map((target) => follow(target, [...path, id])).find(Boolean);
    done.add(id);
    return circle;
  };
  return Object.keys(resources)
    .map((id) => follow(id, []))
    .find(Boolean);
}

/** What a value refers to by Ref, Fn::GetAtt and Fn::Sub. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'Ref' && typeof inner === 'string') return [inner];
    if (key === 'Fn::GetAtt')
      return [Array.isArray(inner) ? `${inner[0]}` : (`${inner}`.split('.')[0] ?? '')];
    if (key === 'Fn::Sub') return [...JSON.stringify(inner).matchAll(/\$\{(\w+)/g)].map(([, id]) => id ?? '');
    return references(inner);
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
