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

const headers = { authorization: 'Bearer the-key' };
const sent = 6_291_556;

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
  for (const eventOf of [httpEvent, classicEvent('rest')]) {
    const read: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query = cursor === '' ? '' : `cursor=${encodeURIComponent(cursor)}`;
      const answer = await handle(eventOf('GET', '/v1/jobs', { headers, query }), contextOf(29_000));
      expect(answer.statusCode).toBe(200);
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(sent);
      const page: { jobs: { id: string }[]; cursor: string | null } = JSON.parse(answer.body);
      read.push(...page.jobs.map(({ id }) => id));
      cursor = page.cursor;
    }
    expect(read.toSorted()).toEqual(ids.toSorted());
  }
});

test.each([
  ['an HTTP API', httpEvent, sent],
  ['a REST API', classicEvent('rest'), sent],
  ['a load balancer', classicEvent('balancer'), 1_000_000],
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
