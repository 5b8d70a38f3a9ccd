import { MongoClient } from 'mongodb';
import { expect, test } from 'vitest';
import { RemoteProcessor } from '../../../src/index.js';
import { collectionNames } from '../../collection-names.js';
import { expectProblem, useApi } from './api.js';
import { browse } from './browser.js';

const api = useApi({}, { monitorCommands: true });
const LIMIT = 10;
const ask = (key: string | null) => api.call('/v1/jobs', { key });
const counted = () => api.database.db.collection(collectionNames.wrongKeys).find().toArray();

async function fail(times: number): Promise<void> {
  for (let count = 0; count < times; count += 1)
    await expectProblem(await ask('a-wrong-key'), 401, 'unauthorized');
}

test('after ten wrong keys an address is told to wait, and who has the right one is not', async () => {
  await fail(LIMIT);

  const limited = await ask('a-wrong-key');
  const right = await ask('key-of-read');

  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(14 * 60);
  await expectProblem(limited, 429, 'too_many_wrong_keys');
  expect(right.status).toBe(200);
});

test('of many that are sent at the same moment no more than ten are counted', async () => {
  const answers = await Promise.all(Array.from({ length: 25 }, () => ask('a-wrong-key')));

  expect(answers.filter(({ status }) => status === 401)).toHaveLength(LIMIT);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(25 - LIMIT);
  expect(await counted()).toMatchObject([{ _id: '127.0.0.1', at: { length: LIMIT } }]);
});

test('an address that is past its limit costs the database nothing more', async () => {
  await fail(LIMIT);
  await ask('a-wrong-key');

  const commands = await api.database.commandsDuring(async () => {
    for (let count = 0; count < 5; count += 1) expect((await ask('a-wrong-key')).status).toBe(429);
  });

  expect(commands).toEqual([]);
});

test('wrong keys at the sign-in and in the API are counted together', async () => {
  await fail(LIMIT);
  const browser = browse(api, {}, { incoming: { socket: { remoteAddress: '::ffff:127.0.0.1' } } });

  expect((await browser.signIn('wrong')).status).toBe(429);
});

test('no key is no wrong key', async () => {
  for (let count = 0; count < LIMIT + 2; count += 1) expect((await ask(null)).status).toBe(401);

  expect(await counted()).toEqual([]);
});

test('a wrong key is refused as well when the database does not answer', async () => {
  const client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 50 });
  const lines: string[] = [];
  const note = (message: string) => void lines.push(message);
  const log = { debug: note, info: note, warn: note, error: note };
  const { send } = browse(api, { processor: new RemoteProcessor({ db: client.db('none'), log }), log });
  const headers = { authorization: 'Bearer a-wrong-key' };

  const answer = await send(new Request('https://jobs.example/v1/jobs', { headers }));
  await client.close();

  expect(answer.status).toBe(401);
  expect(lines).toEqual(['A wrong key could not be counted', 'Request refused']);
});

test('who is refused is told in the log as a warning, by address and by the id of the key', async () => {
  await api.call('/v1/jobs', { key: 'a-wrong-key' });
  await api.call('/v1/jobs', { key: 'key-of-read', body: { name: 'echo', input: {} } });
  await api.call('/v1/jobs', { key: 'key-of-read' });

  const lines = api.logged.split('\n').map((line) => JSON.parse(line));
  const common = { path: '/v1/jobs', address: '127.0.0.1' };
  expect(lines).toMatchObject([
    { level: 'warn', message: 'Request refused', ...common, status: 401 },
    { level: 'warn', message: 'Request refused', ...common, status: 403, key: 'the-read' },
    { level: 'info', message: 'Request', ...common, status: 200, key: 'the-read' },
  ]);
  expect(api.logged).not.toMatch(/a-wrong-key|key-of-read/);
});
