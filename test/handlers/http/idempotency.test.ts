import { expect, test } from 'vitest';
import { collectionNames } from '../../collection-names.js';
import { expectProblem, idsOf, jobOf, useApi } from './api.js';

const api = useApi();
const body = { name: 'echo', input: { foo: 'bar' } };
const withKey = (key: string) => ({ 'idempotency-key': key });

/** What the database knows of the requests. */
const keys = () => api.database.db.collection(collectionNames.idempotencyKeys);

const add = (key: string, sent: unknown = body, caller = 'key-of-write') =>
  api.call('/v1/jobs', { body: sent, headers: withKey(key), key: caller });

test('the same request with the same key gets the first answer, and adds nothing', async () => {
  const first = await add('k');
  await api.processor.processJobs();
  const again = await add('k');

  expect(again.status).toBe(202);
  expect(again.headers.get('location')).toBe(first.headers.get('location'));
  expect(await again.json()).toEqual(await first.json());
  expect(first.headers.has('idempotent-replayed')).toBe(false);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(await api.storedJobs()).toBe(1);
  expect(api.kicks).toBe(1);
});

test('many at the same moment add one job', async () => {
  const responses = await Promise.all(Array.from({ length: 20 }, () => add('k')));

  const statuses = responses.map(({ status }) => status);
  expect(statuses.filter((status) => status === 202).length).toBeGreaterThan(0);
  expect(statuses.every((status) => status === 202 || status === 409)).toBe(true);
  expect(await api.storedJobs()).toBe(1);
  const ids = await Promise.all(
    responses.filter(({ status }) => status === 202).map(async (response) => (await jobOf(response)).id),
  );
  expect(new Set(ids).size).toBe(1);
});

test('without the header each request adds a job, and nothing is kept', async () => {
  await api.call('/v1/jobs', { body });
  await api.call('/v1/jobs', { body });

  expect(await api.storedJobs()).toBe(2);
  expect(await keys().countDocuments()).toBe(0);
});

test('the key of another body is refused', async () => {
  await add('k');

  await expectProblem(await add('k', { ...body, input: {} }), 422, 'idempotency_key_reused');
  expect(await api.storedJobs()).toBe(1);
});

test('the key of another address is refused', async () => {
  await add('k');
  const batch = await api.call('/v1/jobs/batch', { body: { jobs: [body] }, headers: withKey('k') });

  await expectProblem(batch, 422, 'idempotency_key_reused');
  expect(await api.storedJobs()).toBe(1);
});

test('two callers that choose the same key do not meet', async () => {
  const mine = await jobOf(await add('k'));
  const theirs = await jobOf(await add('k', body, 'key-of-admin'));

  expect(theirs.id).not.toBe(mine.id);
});

test('while the first is under way the second is told so', async () => {
  await add('k');
  await keys().updateOne({}, { $unset: { reply: 1 } });

  const response = await add('k');

  expect(response.headers.get('retry-after')).toBe('1');
  await expectProblem(response, 409, 'idempotency_key_in_use');
});

test('what was left by a crash after the job was stored is finished with that job', async () => {
  const first = await jobOf(await add('k'));
  // As it stands when the function dies before the answer is kept, once its hold has run out.
  await keys().updateOne({}, { $unset: { reply: 1 }, $set: { heldUntil: new Date(0) } });

  const again = await add('k');

  expect(await jobOf(again)).toEqual(first);
  expect(again.headers.has('idempotent-replayed')).toBe(false);
  expect(await api.storedJobs()).toBe(1);
  expect((await add('k')).headers.get('idempotent-replayed')).toBe('true');
});

test('what was left by a crash before the job was stored adds it, under the id that was chosen', async () => {
  const first = await jobOf(await add('k'));
  await api.database.db.collection(collectionNames.jobs).deleteMany({});
  await keys().updateOne({}, { $unset: { reply: 1 }, $set: { heldUntil: new Date(0) } });

  expect((await jobOf(await add('k'))).id).toBe(first.id);
  expect(await api.storedJobs()).toBe(1);
});

test('a batch that was left in the middle adds only what is missing', async () => {
  const batch = { jobs: [body, body, { ...body, options: { id: 'mine' } }] };
  const send = () => api.call('/v1/jobs/batch', { body: batch, headers: withKey('k') });
  const first = await idsOf(await send());
  await api.database.db.collection<{ _id: string }>(collectionNames.jobs).deleteOne({ _id: first[1] ?? '' });
  await keys().updateOne({}, { $unset: { reply: 1 }, $set: { heldUntil: new Date(0) } });

  expect(await idsOf(await send())).toEqual(first);
  expect(first[2]).toBe('mine');
  expect(await api.storedJobs()).toBe(3);
});

test('a conflict in a batch keeps the ids of those that were stored', async () => {
  await api.processor.addJob('echo', { other: 1 }, { id: 'taken' });
  const batch = { jobs: [body, { ...body, options: { id: 'taken' } }] };
  const send = () => api.call('/v1/jobs/batch', { body: batch, headers: withKey('k') });
  await expectProblem(await send(), 409, 'conflict');
  const stored = await api.storedJobs();

  await expectProblem(await send(), 409, 'conflict');
  expect(await api.storedJobs()).toBe(stored);
});

test('a request that was refused leaves its key free', async () => {
  await expectProblem(await add('k', { name: 'echo', input: [] }), 422, 'validation_failed');
  await expectProblem(await add('k', { name: 'nobody' }), 422, 'unknown_job_name');
  await expectProblem(await add('k', { name: 1 }), 422, 'validation_failed');

  expect(await keys().countDocuments()).toBe(0);
  expect((await add('k')).status).toBe(202);
});

test('a key is free again after 24 hours', async () => {
  const before = Date.now();
  const first = await jobOf(await add('k'));
  const kept = await keys().findOne();
  expect(kept?.expireAt.getTime()).toBeGreaterThan(before + 23.9 * 3_600_000);
  expect(kept?.expireAt.getTime()).toBeLessThan(Date.now() + 24.1 * 3_600_000);
  await keys().updateOne({}, { $set: { expireAt: new Date(0) } });

  expect((await jobOf(await add('k', { ...body, input: {} }))).id).not.toBe(first.id);
});

test('MongoDB deletes keys that have expired', async () => {
  const indexes = await keys().indexes();

  expect(indexes).toContainEqual(expect.objectContaining({ key: { expireAt: 1 }, expireAfterSeconds: 0 }));
});

test('a scheduler item that is run with a key makes one job', async () => {
  await api.processor.addScheduler({ id: 'tick', type: 'Delay', delay: '1h', jobName: 'echo', input: {} });
  const run = () => api.call('/v1/schedulers/tick/run', { method: 'POST', headers: withKey('k') });

  const first = await jobOf(await run());
  await keys().updateOne({}, { $unset: { reply: 1 }, $set: { heldUntil: new Date(0) } });
  const second = await jobOf(await run());
  const third = await jobOf(await run());

  expect([second, third]).toEqual([first, first]);
  expect(await api.storedJobs()).toBe(1);
});

test.each(['', 'with space', 'x'.repeat(256), 'a, b', '\t', 'é'])(
  'the key %j is refused, and nothing is stored',
  async (key) => {
    const problem = await expectProblem(await add(key), 422, 'validation_failed');

    expect(problem.issues).toMatchObject([{ path: 'Idempotency-Key' }]);
    expect(await api.storedJobs()).toBe(0);
    expect(await keys().countDocuments()).toBe(0);
  },
);

test.each(['$where', '$$ROOT', '{"$ne":null}', '__proto__', '"quoted"', 'x'.repeat(255)])(
  'the key %.20s is a text like any other',
  async (key) => {
    const first = await jobOf(await add(key, { name: 'anything', input: { $set: { a: '$b' } } }));
    const again = await jobOf(await add(key, { name: 'anything', input: { $set: { a: '$b' } } }));

    expect(again).toEqual(first);
    expect(await api.storedJobs()).toBe(1);
  },
);

test('the same request with its keys in another order, or a duration in other words, gets the first answer', async () => {
  const sent = {
    name: 'echo',
    input: { a: 1, b: { 1: 'x', c: [{ d: 1, e: 2 }] } },
    options: { delay: '10s', priority: 3 },
  };
  const first = await add('k', sent);
  const again = await add(
    'k',
    '{"options":{"priority":3,"delay":10000},"input":{"b":{"c":[{"e":2,"d":1}],"1":"x"},"a":1},"name":"echo"}',
  );

  expect(again.status).toBe(202);
  expect(await again.json()).toEqual(await first.json());
  expect(await api.storedJobs()).toBe(1);
});

test.each([
  ['a list in another order', { ...body, input: { list: [1, 2] } }, { ...body, input: { list: [2, 1] } }],
  [
    'what is a list in one, and an object in the other',
    { ...body, input: { a: ['x'] } },
    { ...body, input: { a: { 0: 'x' } } },
  ],
  ['a member __proto__', body, '{"name":"echo","input":{"foo":"bar","__proto__":{}}}'],
])('requests that differ by %s are two', async (_, one, other) => {
  await add('k', one);

  expect((await add('k', other)).status).toBe(422);
  expect(await api.storedJobs()).toBe(1);
});
