import { expect, test } from 'vitest';
import * as z from 'zod';
import { createHttpHandler, type HttpAnswer } from '../../handlers/lambda.js';
import { defineJob } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { closeConnectionsAfterwards, deploymentOf } from './deployment.js';
import { classicEvent, contextOf, httpEvent } from './events.js';
import { useLambdaService } from './lambda-service.js';

const database = useDatabase();
const lambda = useLambdaService();
closeConnectionsAfterwards();

const headers = { authorization: 'Bearer the-key' };
const sent = 6_291_556;
const balanced = 1_000_000;

const texts = ['"', '\\', '\u0001', 'ä', '\u{1f642}', '<', '"\u0001'];

/** Jobs with so much of each text, which is more on the way: within JSON, HTML and the JSON of the whole answer. */
async function addLargeJobs(length: number): Promise<string[]> {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const jobs = database.db.collection<{ _id: string; input: unknown }>(collectionNames.jobs);
  const ids = await processor.addJobs(texts.map((_, n) => ({ name: 'echo', input: { n } })));
  const inputs = texts.map((text) => ({ text: text.repeat(length), list: Array(1_000).fill(text) }));
  await Promise.all(ids.map((_id, n) => jobs.updateOne({ _id }, { $set: { input: inputs[n] } })));
  return ids;
}

test('a list of jobs whose text doubles and triples on the way is read to its end, page by page', async () => {
  const ids = await addLargeJobs(500_000);
  const handle = createHttpHandler(deploymentOf(database, lambda(), [echo]));
  for (const [eventOf, most] of [
    [httpEvent, sent],
    [classicEvent('rest'), sent],
    [classicEvent('balancer'), balanced],
  ] as const) {
    const read = await readAll(
      '/v1/jobs',
      'limit=100',
      (request) => handle(eventOf(...request), contextOf(29_000)),
      most,
    );
    expect(read.toSorted()).toEqual(ids.toSorted());
  }
});

type HttpRequest = Parameters<typeof httpEvent>;

/** Reads a list page by page, each of which has to fit; returns the ids, or names, of its members. */
async function readAll(
  path: string,
  query: string,
  send: (request: HttpRequest) => Promise<HttpAnswer>,
  most: number,
): Promise<string[]> {
  const read: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const rest = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await send(['GET', path, { headers, query: query + rest }]);
    expect([path, answer.statusCode]).toEqual([path, 200]);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(most);
    const { cursor: next, ...lists } = pageSchema.parse(JSON.parse(answer.body));
    read.push(...Object.values(lists).flatMap((members) => members.map(({ id, name }) => id ?? name ?? '')));
    cursor = next;
  }
  return read;
}

const memberSchema = z.object({ id: z.string().optional(), name: z.string().optional() });
const pageSchema = z.object({ cursor: z.string().nullable() }).catchall(z.array(memberSchema));

test('a load balancer gets every list in pages that it takes, though none of their members is large', async () => {
  const processor = database.processor();
  const names = Array.from({ length: 60 }, (_, n) => `kind-${n}`);
  const described = z.string().describe('"'.repeat(20_000));
  await processor.addJobFactories([
    echo,
    ...names.map((name) => defineJob({ name, input: described, run: () => null })),
  ]);
  const queues = Array.from({ length: 550 }, (_, n) => `${'\u0001'.repeat(190)} ${n}`);
  const ids = await processor.addJobs(
    queues.map((queue) => ({ name: 'echo', input: {}, options: { queue } })),
  );
  const items = Array.from({ length: 40 }, (_, n) => `item ${n}`);
  for (const id of items) {
    const input = { text: '"'.repeat(30_000) };
    await processor.addScheduler({ type: 'Delay', id, delay: '1h', jobName: 'echo', input });
  }
  const handle = createHttpHandler(deploymentOf(database, lambda(), [echo]));
  const send = (request: HttpRequest) => handle(classicEvent('balancer')(...request), contextOf(29_000));

  for (const [path, expected] of [
    ['/v1/jobs', ids],
    ['/v1/queues', queues],
    ['/v1/schedulers', items],
    ['/v1/job-factories', [...names, 'echo']],
  ] as const) {
    expect((await readAll(path, 'limit=1000', send, balanced)).toSorted()).toEqual(expected.toSorted());
  }
});

test.each([450_000, 1_000_000, 4_500_000])(
  'a load balancer gets a job whose input has %i bytes, or all of it that can be sent',
  async (length) => {
    const processor = database.processor();
    await processor.addJobFactory(echo);
    const id = await processor.addJob('echo', { text: 'x'.repeat(length) });
    const handle = createHttpHandler(deploymentOf(database, lambda(), [echo]));
    for (const [eventOf, most] of [
      [httpEvent, 5_000_000],
      [classicEvent('balancer'), 900_000],
    ] as const) {
      const answer = await handle(eventOf('GET', `/v1/jobs/${id}`, { headers }), contextOf(29_000));
      expect(answer.statusCode).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ id, leftOut: length < most ? [] : ['input'] });
    }
  },
);

test.each([
  ['an HTTP API', httpEvent, sent],
  ['a REST API', classicEvent('rest'), sent],
  ['a load balancer', classicEvent('balancer'), balanced],
] as const)('the pages of the dashboard fit into the answers of %s', async (_, eventOf, most) => {
  const ids = await addLargeJobs(500_000);
  const secrets = { SESSION_SECRETS: 'a-secret-for-the-tests-on-lambda-12345' };
  const handle = createHttpHandler(deploymentOf(database, lambda(), [echo], secrets));
  const form = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
  const event = eventOf('POST', '/sign-in', { headers: form, body: 'key=the-key' });
  const cookie =
    /__Host-session=[^;"]+/.exec(JSON.stringify(await handle(event, contextOf(29_000))))?.[0] ?? '';

  for (const path of ['/', '/dashboard/jobs', ...ids.map((id) => `/dashboard/jobs/${id}`)]) {
    const answer = await handle(eventOf('GET', path, { headers: { cookie } }), contextOf(29_000));
    expect([path, answer.statusCode]).toEqual([path, 200]);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(most);
  }
});

test('statistics of more steps than a load balancer takes are refused, and the next longer ones are sent', async () => {
  const handle = createHttpHandler(deploymentOf(database, lambda(), [echo]));
  await database.processor().addJobFactory(echo);
  const balancedEvent = classicEvent('balancer');
  const ask = (eventOf: typeof httpEvent | typeof balancedEvent, query: string) =>
    handle(eventOf('GET', '/v1/statistics', { headers, query }), contextOf(29_000));
  const refused = await ask(balancedEvent, 'since=8d');

  expect(refused.statusCode).toBe(422);
  expect(JSON.parse(refused.body)).toMatchObject({
    issues: [{ path: 'step', message: expect.stringContaining('at most 3000') }],
  });
  expect((await ask(balancedEvent, 'since=8d&step=4m')).statusCode).toBe(200);
  expect((await ask(httpEvent, 'since=8d')).statusCode).toBe(200);
});
