import { expect, test } from 'vitest';
import { createSchedulerHandler } from '../../handlers/lambda.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { contextOf, everyMinute } from './events.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

test('a scheduler makes the jobs of due items and kicks the worker once', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  for (const id of ['one', 'two']) {
    await processor.addScheduler({
      type: 'Delay',
      id,
      jobName: 'echo',
      input: { id },
      delay: '1h',
      active: true,
    });
  }
  await database.db.collection('scheduler').updateMany({}, { $set: { nextCallTime: new Date(1) } });
  const handler = createSchedulerHandler(deploymentOf(database, lambda(), [echo]));

  const result = await handler(everyMinute, contextOf(60_000));

  expect(result).toEqual({ made: 2 });
  expect(await processor.getJobs({ status: 'queued' })).toHaveLength(2);
  expect(lambda().invocations).toMatchObject([{ type: 'Event', payload: { kick: { depth: 0 } } }]);
});

test('a scheduler without due items kicks nobody', async () => {
  const handler = createSchedulerHandler(deploymentOf(database, lambda(), [echo]));
  const context = contextOf(60_000);

  expect(await handler(everyMinute, context)).toEqual({ made: 0 });
  expect(lambda().invocations).toEqual([]);
  expect(context.callbackWaitsForEmptyEventLoop).toBe(false);
});
