import { expect, test } from 'vitest';
import { createHttpHandler, createSchedulerHandler, createWorkerHandler } from '../../handlers/lambda.js';
import type { RemoteProcessor } from '../../src/index.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { contextOf, everyMinute, httpEvent } from './events.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

test('each function has the listeners and the middleware of its deployment', async () => {
  const heard: string[] = [];
  const optionsOf = (name: string) => ({
    ...deploymentOf(database, lambda(), [echo]),
    extend: (processor: RemoteProcessor) => {
      processor.on('jobAdded', () => heard.push(`${name} jobAdded`));
      processor.on('attemptEnded', () => heard.push(`${name} attemptEnded`));
      processor.use({
        add: async (_, next) => {
          heard.push(`${name} add`);
          await next();
        },
        run: async (_, next) => {
          heard.push(`${name} run`);
          await next();
        },
      });
    },
  });
  const headers = { authorization: 'Bearer the-key', 'content-type': 'application/json' };
  const job = { headers, body: JSON.stringify({ name: 'echo', input: {} }) };
  const added = await createHttpHandler(optionsOf('http'))(
    httpEvent('POST', '/v1/jobs', job),
    contextOf(60_000),
  );
  expect(added.statusCode).toBe(202);
  const item = { type: 'At', at: new Date(0), jobName: 'echo', input: {}, active: true } as const;
  await database.processor().addScheduler(item);
  await createSchedulerHandler(optionsOf('scheduler'))(everyMinute, contextOf(60_000));
  await createWorkerHandler(optionsOf('worker'))(everyMinute, contextOf(60_000));
  const ofWorker = heard.splice(4);
  expect(heard).toEqual(['http add', 'http jobAdded', 'scheduler add', 'scheduler jobAdded']);
  expect(ofWorker.filter((what) => what === 'worker run')).toHaveLength(2);
  expect(ofWorker.filter((what) => what === 'worker attemptEnded')).toHaveLength(2);
});
