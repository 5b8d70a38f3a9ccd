import { expect, test } from 'vitest';
import {
  createEnsureIndexesHandler,
  createHttpHandler,
  createSchedulerHandler,
  createWorkerHandler,
} from '../../handlers/lambda.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { contextOf, everyMinute } from './events.js';
import { useLambdaService } from './lambda-service.js';
import { queueEvent } from './sqs-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

function invoke(event: unknown) {
  return createWorkerHandler(deploymentOf(database, lambda(), [echo]))(event, contextOf(60_000));
}

function sqs(...bodies: unknown[]) {
  return {
    Records: bodies.map((body, n) => ({
      messageId: `message-${n}`,
      eventSource: 'aws:sqs',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })),
  };
}

const sns = (body: unknown) => ({
  Records: [{ EventSource: 'aws:sns', Sns: { MessageId: 'told', Message: JSON.stringify(body) } }],
});

test('messages of SQS become jobs, those that cannot are told, and one that comes again adds nothing', async () => {
  await database.processor().addJobFactory(echo);
  const event = sqs(
    { name: 'echo', input: { n: 0 }, options: { priority: 3 } },
    '{',
    { name: 'nobody-knows', input: {} },
    { name: 'echo', input: {}, options: { priority: 77 } },
    { wakeUp: {} },
    { name: 'echo', input: {}, more: 1 },
    { name: 'echo', input: { n: 6 }, options: { id: 'own' } },
  );

  const failed = ['message-1', 'message-2', 'message-3', 'message-5'].map((itemIdentifier) => ({
    itemIdentifier,
  }));
  expect((await invoke(event)).batchItemFailures).toEqual(failed);
  expect((await invoke(event)).batchItemFailures).toEqual(failed);

  const jobs = await database.processor().getJobs();
  expect(jobs.map(({ id, priority, input }) => ({ id, priority, input }))).toEqual(
    expect.arrayContaining([
      { id: 'sqs-message-0', priority: 3, input: { n: 0 } },
      { id: 'own', priority: 0, input: { n: 6 } },
    ]),
  );
  expect(jobs).toHaveLength(2);
  expect(lambda().invocations).not.toEqual([]);
});

test('a wake-up beside a message that is refused starts the worker all the same', async () => {
  await database.processor().addJobFactory(echo);
  const id = await database.processor().addJob('echo', {});

  const result = await invoke(sqs({ wakeUp: {} }, '{'));

  expect(result).toMatchObject({ completed: 1, batchItemFailures: [{ itemIdentifier: 'message-1' }] });
  expect(await database.processor().getJobStatus(id)).toBe('completed');
});

test('a job that comes by the queue of wake-ups, which keeps nothing, fails loudly; who waits there works', async () => {
  await database.processor().addJobFactory(echo);
  const id = await database.processor().addJob('echo', {});
  const queueUrl = 'https://sqs.eu-central-1.amazonaws.com/123456789012/wakeups';
  const handler = createWorkerHandler(
    deploymentOf(database, lambda(), [echo], { WAKE_UP_QUEUE_URL: queueUrl }),
  );
  const { Records } = queueEvent('{"wakeUp":{}}', JSON.stringify({ name: 'echo', input: {} }));
  const own = Records.map((each) => ({
    ...each,
    eventSourceARN: each.eventSourceARN.replace(/\w+$/, 'own'),
  }));

  await expect(handler({ Records }, contextOf(60_000))).rejects.toThrow(
    'The queue of wake-ups takes no messages with jobs to add: 1.',
  );
  expect(await database.processor().getJobs()).toMatchObject([{ id, status: 'completed' }]);

  expect(await handler({ Records: own }, contextOf(60_000))).toMatchObject({ completed: 1 });
});

test('a message of SNS becomes a job, and one that cannot fails', async () => {
  await database.processor().addJobFactory(echo);

  await invoke(sns({ name: 'echo', input: {} }));

  expect(await database.processor().getJobStatus('sns-told')).toBe('queued');
  await expect(invoke(sns({ input: {} }))).rejects.toThrow('A message of SNS was not added as a job: told');
});

test.each([
  ['aws:s3', { Records: [{ eventSource: 'aws:s3', s3: {} }] }],
  ['aws.ec2', { source: 'aws.ec2', detail: {} }],
  ['aws.events', { source: 'aws.events', 'detail-type': 'AWS API Call via CloudTrail', detail: {} }],
  ['aws.events.of-somebody', { source: 'aws.events.of-somebody', 'detail-type': 'Scheduled Event' }],
  ['unknown', { rawPath: '/', requestContext: {} }],
  ['unknown', { kick: { depth: 51 } }],
])('an event from %s fails, and no job is taken for it', async (source, event) => {
  await database.processor().addJobFactory(echo);
  const id = await database.processor().addJob('echo', {});

  await expect(invoke(event)).rejects.toThrow(`The worker takes no event from '${source}'`);

  expect(await database.processor().getJobStatus(id)).toBe('queued');
});

test('records of several services are refused by the names of all, and none is taken', async () => {
  await database.processor().addJobFactory(echo);
  const { Records } = sqs({ name: 'echo', input: {} });

  await expect(invoke({ Records: [...Records, { eventSource: 'aws:s3', s3: {} }] })).rejects.toThrow(
    /takes no event from 'aws:sqs' and 'aws:s3': expected .*all of SQS or all of SNS/,
  );
  expect(await database.processor().getJobs()).toEqual([]);
});

test('a notification of S3 that comes by SQS fails, and the jobs beside it are added', async () => {
  await database.processor().addJobFactory(echo);
  const event = sqs({ Records: [{ eventSource: 'aws:s3', s3: {} }] }, { name: 'echo', input: {} });

  expect((await invoke(event)).batchItemFailures).toEqual([{ itemIdentifier: 'message-0' }]);
  expect(await database.processor().getJobs()).toMatchObject([{ id: 'sqs-message-1' }]);
});

const ofScheduler = { ...everyMinute, source: 'aws.scheduler', detail: '{}' };

test.each([
  ['aws:s3', { Records: [{ eventSource: 'aws:s3', s3: {} }] }],
  ['aws:sqs', sqs({ name: 'echo', input: {} })],
  ['aws:sns', sns({ name: 'echo', input: {} })],
  ['aws.ec2', { source: 'aws.ec2', 'detail-type': 'EC2 Instance State-change Notification' }],
  ['aws.events', { ...everyMinute, 'detail-type': 'AWS API Call via CloudTrail' }],
  ['unknown', { kick: { depth: 0 } }],
])('an event from %s is no tick to a scheduler', async (source, event) => {
  const schedule = createSchedulerHandler(deploymentOf(database, lambda(), [echo]));
  await expect(schedule(event, contextOf(60_000))).rejects.toThrow(
    new RegExp(`The scheduler takes no event from '${source}'.*: expected a tick of EventBridge`),
  );
});

test.each([everyMinute, ofScheduler, {}, undefined])('%j starts a scheduler', async (event) => {
  const schedule = createSchedulerHandler(deploymentOf(database, lambda(), [echo]));
  expect(await schedule(event, contextOf(60_000))).toEqual({ made: 0 });
});

test.each([everyMinute, ofScheduler, {}, undefined, { kick: { depth: 0 } }])(
  '%j starts it to work',
  async (event) => {
    await database.processor().addJobFactory(echo);
    await database.processor().addJob('echo', {});
    expect(await invoke(event)).toMatchObject({ claimed: 1 });
  },
);

test.each([{ source: 'serverless-plugin-warmup' }, { warmup: true }])(
  '%j asks nothing of a database, which need not be there',
  async (event) => {
    const nowhere = { jobs: [echo], env: {} };
    expect(await createWorkerHandler(nowhere)(event, contextOf(60_000))).toMatchObject({ claimed: 0 });
    expect(await createSchedulerHandler(nowhere)(event, contextOf(60_000))).toEqual({ made: 0 });
    expect(await createHttpHandler(nowhere)(event, contextOf(60_000))).toMatchObject({ statusCode: 204 });
    expect(await createEnsureIndexesHandler({ env: {} })(event, contextOf(60_000))).toBeUndefined();
  },
);
