import { expect, test } from 'vitest';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { fates } from './container/fates.js';
import { useContainers } from './container/worker-container.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
const startContainer = useContainers();
const secret = 'hunter2-is-my-password';

function environment(own: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    MONGODB_URI: database.uri,
    MONGODB_DATABASE: database.name,
    WORKER_FUNCTION_NAME: 'the-worker',
    LAMBDA_ENDPOINT: lambda().url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'nobody',
    AWS_SECRET_ACCESS_KEY: 'nothing',
    ...own,
  };
}

/** Time enough for a container that is warm to begin its jobs, and soon over for those that wait for its end. */
const SHORT_MS = 5_000;

/** A container that has connected, and done whatever else is done once, which takes a busy machine seconds. */
async function startWarmContainer(own: Readonly<Record<string, string>> = {}, args: readonly string[] = []) {
  const container = startContainer(environment(own), args);
  await container.invoke('warm-up');
  return container;
}

/** Adds a job of each name, and returns their ids. */
async function add(...jobNames: string[]): Promise<string[]> {
  const producer = database.processor();
  await producer.addJobFactories(fates);
  return Promise.all(jobNames.map((jobName) => producer.addJob(jobName, { secret })));
}

test('a worker writes one JSON line per attempt, with who did what and how it ended, and never what it was about', async () => {
  const container = await startWarmContainer({ LOG_LEVEL: 'debug' });
  const ids = await add('completes', 'fails', 'is-retried', 'times-out', 'heeds-signal');

  await container.invoke('request 1', SHORT_MS);
  await container.kill();

  const attempts = container.lines('Attempt ended');
  expect(Object.fromEntries(attempts.map(({ jobName, outcome }) => [jobName, outcome]))).toEqual({
    completes: 'completed',
    fails: 'errors',
    'is-retried': 'retried',
    'times-out': 'retried',
    'heeds-signal': 'givenBack',
  });
  expect(attempts.map(({ jobId }) => jobId).toSorted()).toEqual(ids.toSorted());
  for (const attempt of attempts) {
    expect(attempt).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      level: 'info',
      requestId: 'request 1',
      attempt: 1,
      worker: expect.stringContaining('root-worker'),
      durationMs: expect.any(Number),
    });
  }
  expect(attempts.find(({ jobName }) => jobName === 'fails')).toMatchObject({ error: 'It is hopeless.' });
  expect(container.output).not.toContain(secret);
});

test('every line of an invocation tells its request id, and none that of another', async () => {
  await add('completes');
  const container = startContainer(environment());
  await container.invoke('request 1');
  await add('completes');
  await container.invoke('request 2');
  await container.kill();

  const half = container.lines().length / 2;
  const requestIds = container.lines().map(({ requestId }) => requestId);
  expect(requestIds).toEqual([...Array(half).fill('request 1'), ...Array(half).fill('request 2')]);
});

test('an invocation ends with its summary, in the log and as CloudWatch metrics', async () => {
  await add('completes', 'completes', 'fails', 'is-retried');
  const container = startContainer(environment());
  const { summary } = await container.invoke('request 1');
  await container.kill();

  expect(summary).toMatchObject({ claimed: 4, completed: 2, errors: 1, retried: 1 });
  expect(container.lines('Worker invocation ended')).toMatchObject([summary]);
  const [metrics] = container.lines().filter((line) => '_aws' in line);
  expect(metrics).toMatchObject({
    Claimed: '4',
    Completed: '2',
    Errors: 1,
    Retried: '1',
    requestId: 'request 1',
  });
  expect(metrics).toMatchObject({
    service: 'the-worker',
    _aws: { CloudWatchMetrics: [{ Namespace: 'remote-processor', Dimensions: [['service']] }] },
  });
});

test('a container ends when a job goes on in it, after the outcome is written and the next worker kicked', async () => {
  const container = await startWarmContainer({ MAX_THREADS: '1' });
  const ids = await add('goes-on', 'completes');

  await expect(container.invoke('request 1', SHORT_MS)).rejects.toThrow('The container ended');

  expect(await container.exit).toEqual([1, null]);
  const [, ended] = container.lines('Worker invocation ended');
  expect(ended).toMatchObject({ abandoned: 1, givenBack: 1, remaining: 2 });
  expect(container.lines('It went on')).toEqual([]);
  expect(lambda().invocations.map(({ payload }) => payload)).toEqual([{ kick: { depth: 1 } }]);
  expect(await database.processor().getJob(ids[0] ?? '')).toMatchObject({
    status: 'queued',
    retryCounter: 0,
  });
});

test('a container in which every job has ended stays, and runs the next invocation', async () => {
  const container = await startWarmContainer();
  await add('completes', 'fails', 'heeds-signal');
  await container.invoke('request 1', SHORT_MS);
  await database.db.collection(collectionNames.jobs).deleteMany({ status: 'queued' });
  await add('completes');

  const { summary } = await container.invoke('request 2');

  expect(summary).toMatchObject({ abandoned: 0, completed: 1 });
});

test('a rejection that nobody handles fails the job that left it, not the container and the jobs beside it', async () => {
  const container = await startWarmContainer({}, ['stay']);
  const [careless = ''] = await add('leaves-rejection', 'heeds-signal');

  const { summary } = await container.invoke('request 1', SHORT_MS);

  expect(summary).toMatchObject({ claimed: 2, retried: 1, givenBack: 1 });
  const errors = await database.processor().getJobErrors(careless);
  expect(errors).toEqual([expect.stringContaining('Nobody waits for me.')]);
});

test('what a job left and is rejected at the thaw is told in the log, and ends no container', async () => {
  const container = await startWarmContainer();
  const [careless = ''] = await add('rejects-later');
  await container.invoke('request 1', SHORT_MS);
  await add('completes');
  const told = 'A promise of a job that has ended was rejected';

  container.freeze();
  container.rejectWhatWasLeft();
  container.thaw();
  await Promise.race([container.exit, eventually(() => expect(container.lines(told)).toHaveLength(1))]);

  expect((await container.invoke('request 2')).summary).toMatchObject({ completed: 1 });
  expect(container.lines(told)).toMatchObject([
    {
      jobId: careless,
      jobName: 'rejects-later',
      error: expect.stringContaining('Nobody waits for me any more.'),
    },
  ]);
});

test('no timer and no listener outlives an invocation, whether its jobs end by themselves, heed their signal or ignore it', async () => {
  const container = await startWarmContainer({}, ['stay']);
  for (const others of [[], ['heeds-signal', 'times-out'], ['ignores-signal', 'ignores-signal']]) {
    const ids = await add(...others, 'completes', 'fails', 'is-retried');

    const { summary, before, after } = await container.invoke('request 1', SHORT_MS);

    expect(summary).toMatchObject({ claimed: ids.length, completed: 1, errors: 1 });
    expect(after).toEqual(before);
    await database.db.collection(collectionNames.jobs).deleteMany({});
  }
});
