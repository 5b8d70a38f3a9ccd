import { expect, test } from 'vitest';
import { createHttpHandler } from '../../handlers/lambda.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { classicEvent, contextOf, httpEvent } from './events.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

const headers = { authorization: 'Bearer the-key', host: 'jobs.example', 'x-forwarded-for': '192.0.2.1' };

const sent = 6_291_556;

test.each([
  ['an HTTP API', httpEvent, sent, [500, 500, 200]],
  ['a REST API', classicEvent('rest'), sent, [500, 500, 200]],
  ['a load balancer', classicEvent('balancer'), 1_000_000, [500, 500, 500]],
] as const)('an answer to %s is never larger than may be sent', async (_, eventOf, most, expected) => {
  const handler = createHttpHandler(deploymentOf(database, lambda(), [echo]));
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const ids: string[] = [];
  for (const [text, length] of [
    ['"', 1_000_000],
    ['\u0001', 300_000], // each of six letters on the way
    ['x', 1_000_000],
  ] as const) {
    const id = await processor.addJob(echo, {});
    const errors = Array.from({ length: 5 }, () => ({
      ...{ at: new Date(), attempt: 1, message: 'large', stack: text.repeat(length) },
    }));
    const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
    await jobs.updateOne({ _id: id }, { $set: { errors } });
    ids.push(id);
  }
  const statuses: number[] = [];
  for (const path of ids.map((id) => `/v1/jobs/${id}`)) {
    const answer = await handler(eventOf('GET', path, { headers }), contextOf(29_000));
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(most);
    statuses.push(answer.statusCode);
    if (answer.statusCode !== 200)
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'answer_too_large' });
  }
  expect(statuses).toEqual(expected);
});
