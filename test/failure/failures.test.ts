import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, RemoteException } from '../../src/index.js';
import { failureDigest, normalisedMessage, ownFrame } from '../../src/job/failure-key.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';

const database = useDatabase();

const charge = defineJob({
  name: 'billing.charge',
  input: z.string(),
  run: ({ input }) => {
    throw new RemoteException(input);
  },
});

async function failedWith(messages: readonly string[]) {
  const processor = database.processor();
  await processor.addJobFactory(charge);
  await processor.addJobs(messages.map((input) => ({ job: charge, input })));
  await processor.drain();
  // On a busy machine, the drain does not wait for the groups to be written.
  await eventually(async () => expect((await processor.failures.list()).failures).not.toEqual([]));
  return processor;
}

test.each([
  ['order 4711 of 12.5 EUR', 'order <number> of <number> EUR'],
  ['no user 697dc4a2f1e2d3c4b5a69788', 'no user <id>'],
  ['no job 0f8fad5b-d9cb-469f-a165-70867728950e', 'no job <id>'],
  ['connect ECONNREFUSED 10.0.0.1:5432', 'connect ECONNREFUSED <host>'],
  ['getaddrinfo ENOTFOUND shop.example', 'getaddrinfo ENOTFOUND <host>'],
  ['GET https://api.example.com/v1 failed', 'GET https://<host>/v<number> failed'],
  ['ann@example.com is unknown', '<email> is unknown'],
  [`can't read "name" of 'x'`, `can't read <text> of <text>`],
])('%s is %s', (message, expected) => {
  expect(normalisedMessage(message)).toBe(expected);
});

test('the frame is the first of the user, without its line', () => {
  const stack = `Error: no
    at internal (node:net:1:2)
    at query (/app/node_modules/pg/index.js:5:6)
    at chargeCard (file:///app/src/billing/charge.ts:12:34)
    at run (/app/src/other.ts:1:1)`;
  expect(ownFrame(stack)).toBe('chargeCard (billing/charge.ts)');
  expect(failureDigest({ message: 'no', stack })).toBe(
    failureDigest({ message: 'no', stack: stack.replace('12:34', '99:1') }),
  );
});

test('what failed alike is one group, with how many jobs still fail', async () => {
  const processor = await failedWith(['order 1', 'order 2', 'order 3', 'card refused']);
  const { failures } = await processor.failures.list();
  expect(failures.map(({ message, count }) => [message, count]).sort()).toEqual([
    ['card refused', 1],
    ['order <number>', 3],
  ]);
  const [orders] = failures.filter(({ count }) => count === 3);
  const key = orders?.key ?? '';
  expect(orders).toMatchObject({
    jobName: 'billing.charge',
    sample: expect.stringMatching(/^order \d$/),
    stillFailing: { count: 3, isCapped: false },
    hours: [{ count: 3 }],
  });
  expect((await processor.getJobs({ failureKey: key })).map(({ input }) => input).sort()).toEqual([
    'order 1',
    'order 2',
    'order 3',
  ]);

  expect(await processor.failures.retry(key)).toMatchObject({ action: 'retry', done: 3, state: 'done' });
  expect(await processor.failures.get(key)).toMatchObject({ count: 3, stillFailing: { count: 0 } });
  await processor.drain();
  expect(await processor.failures.get(key)).toMatchObject({
    count: 6,
    stillFailing: { count: 3 },
    hours: [{ count: 6 }],
  });
});

test('a kind whose messages all differ has few groups, and one for the others', async () => {
  const word = (n: number) =>
    `failed by ${String.fromCharCode(97 + (n % 26))}${String.fromCharCode(97 + Math.floor(n / 26))}`;
  const processor = await failedWith(Array.from({ length: 60 }, (_, n) => word(n)));
  const { failures } = await processor.failures.list();
  expect(failures).toHaveLength(21);
  expect(failures.find(({ key }) => key === 'billing.charge:other')).toMatchObject({
    count: 40,
    stillFailing: undefined,
  });
});

test('a kind has no more groups than 100, of which those give way that were not seen for a day', async () => {
  const { failures: stored } = database.collections();
  const group = (n: number, lastSeen: Date) => ({
    _id: `billing.charge:${n}`,
    ...{ jobName: 'billing.charge', message: `m${n}`, sample: '', count: 1, hours: [] },
    ...{ firstSeen: lastSeen, lastSeen, expireAt: new Date(Date.now() + 1e9) },
  });
  const old = new Date(Date.now() - 2 * 24 * 3600_000);
  await stored.insertMany(Array.from({ length: 100 }, (_, n) => group(n, n === 0 ? old : new Date())));
  const processor = await failedWith(['new one', 'another one']);
  const keys = (await stored.find().toArray()).map(({ _id }) => _id);
  expect(keys).not.toContain('billing.charge:0');
  expect(keys).toContain('billing.charge:other');
  expect(keys).toHaveLength(101);
  await expect(processor.failures.get('billing.charge:0')).rejects.toMatchObject({ code: 'not_found' });
});

test('pages, by kind and by time', async () => {
  const processor = await failedWith(['one', 'two', 'three']);
  const first = await processor.failures.list({ limit: 2, since: '1h', jobName: 'billing.charge' });
  const second = await processor.failures.list({ limit: 2, cursor: first.cursor });
  expect([...first.failures, ...second.failures].map(({ message }) => message).sort()).toEqual([
    'one',
    'three',
    'two',
  ]);
  expect((await processor.failures.list({ jobName: 'other' })).failures).toEqual([]);
});
