import { expect, test } from 'vitest';
import { createWorkerHandler } from '../../handlers/lambda.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo, failing, gatedJob } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { contextOf, everyMinute } from './events.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

const MINUTE_MS = 60_000;

/** Time to claim a job, and far more to give it back: a machine that is busy takes long for both. */
const { remainingMs, DEADLINE_MARGIN } = { remainingMs: 65_000, DEADLINE_MARGIN: '60s' };

test('a worker runs what is due, tells what became of it, and kicks nobody', async () => {
  const processor = database.processor();
  await processor.addJobFactories([echo, failing]);
  const id = await processor.addJob('echo', { foo: 'bar' });
  await processor.addJob('failing');
  const handler = createWorkerHandler(deploymentOf(database, lambda(), [echo, failing]));

  const summary = await handler(everyMinute, contextOf(MINUTE_MS));

  expect(summary).toMatchObject({ claimed: 2, completed: 1, errors: 1, remaining: 0 });
  expect(await processor.getJobResult(id)).toEqual({ foo: 'bar' });
  expect(lambda().invocations).toEqual([]);
});

test('a worker replies though its connections stay open', async () => {
  const handler = createWorkerHandler(deploymentOf(database, lambda(), [echo]));
  const context = contextOf(MINUTE_MS);

  await handler(everyMinute, context);

  expect(context.callbackWaitsForEmptyEventLoop).toBe(false);
});

test.each([
  ['the minute', everyMinute, 1],
  ['a kick', { kick: { depth: 7 } }, 8],
])('a worker started by %s that runs out of time gives back and kicks the next', async (_, event, depth) => {
  const { factory } = gatedJob();
  const processor = database.processor();
  await processor.addJobFactory(factory);
  await Promise.all([processor.addJob(factory, 1), processor.addJob(factory, 2)]);
  const handler = createWorkerHandler(
    deploymentOf(database, lambda(), [factory], { MAX_THREADS: '1', DEADLINE_MARGIN }),
  );

  const summary = await handler(event, contextOf(remainingMs));

  expect(summary).toMatchObject({ claimed: 1, givenBack: 1, remaining: 2 });
  expect(lambda().invocations.map(({ payload }) => payload)).toEqual([{ kick: { depth } }]);
});

test('a worker at the end of a chain of kicks does not go on with it', async () => {
  const { factory } = gatedJob();
  const processor = database.processor();
  await processor.addJobFactory(factory);
  await processor.addJob(factory, 1);
  const handler = createWorkerHandler(deploymentOf(database, lambda(), [factory], { DEADLINE_MARGIN }));

  const summary = await handler({ kick: { depth: 50 } }, contextOf(remainingMs));

  expect(summary).toMatchObject({ claimed: 1, givenBack: 1, remaining: 1 });
  expect(lambda().invocations).toEqual([]);
});

test('a worker that is kicked while as many run as may ends at once; that of the minute works', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {});
  const expires = new Date(Date.now() + 60_000);
  const workers = database.db.collection<{ _id: string }>(collectionNames.workers);
  await workers.insertMany(['a', 'b'].map((_id) => ({ _id, processor: 'root', expires })));
  await workers.insertOne({ _id: 'crashed', ...{ processor: 'root', expires: new Date(0) } });
  const handler = createWorkerHandler(deploymentOf(database, lambda(), [echo], { MAX_WORKERS: '2' }));

  expect(await handler({ kick: { depth: 0 } }, contextOf(60_000))).toMatchObject({ claimed: 0 });
  expect(await handler(everyMinute, contextOf(60_000))).toMatchObject({ claimed: 1 });

  await processor.addJob('echo', {});
  await workers.deleteOne({ _id: 'a' });
  expect(await handler({ kick: { depth: 0 } }, contextOf(60_000))).toMatchObject({ claimed: 1 });
});

test('a worker that claimed nothing kicks nobody, though jobs wait', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {});
  const handler = createWorkerHandler(deploymentOf(database, lambda(), [echo]));

  const summary = await handler(everyMinute, contextOf(0));

  expect(summary).toMatchObject({ claimed: 0, remaining: 1 });
  expect(lambda().invocations).toEqual([]);
});

test('a worker takes jobs from its queues only', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { queue: 'mail' });
  const other = await processor.addJob('echo', {});
  const handler = createWorkerHandler(deploymentOf(database, lambda(), [echo], { QUEUES: 'mail,reports' }));

  expect(await handler(everyMinute, contextOf(MINUTE_MS))).toMatchObject({ completed: 1 });
  expect(await processor.getJobStatus(other)).toBe('queued');
});

test('jobs are registered once per container', async () => {
  const handler = createWorkerHandler(deploymentOf(database, lambda(), [echo]));
  await handler(everyMinute, contextOf(MINUTE_MS));
  await database.db.collection(collectionNames.jobFactories).deleteMany({});

  await handler(everyMinute, contextOf(MINUTE_MS));

  expect(await database.db.collection(collectionNames.jobFactories).countDocuments()).toBe(0);
});

test('bad settings fail the invocation, and each is named', async () => {
  const handler = createWorkerHandler({ jobs: [], env: { MAX_THREADS: 'many' } });

  await expect(handler(everyMinute, contextOf(MINUTE_MS))).rejects.toThrow(/MONGODB_URI.*MAX_THREADS/);
});
