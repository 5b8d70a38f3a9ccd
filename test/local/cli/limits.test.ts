import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, RemoteException } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

const job = defineJob({
  name: 'import',
  input: z.object({ customer: z.string() }),
  concurrency: { key: 'customer', limit: 1 },
  run: async () => {},
});

/** One job runs, and one waits for it. */
async function waiting() {
  const processor = database.processor();
  await processor.addJobFactory(job);
  for (const id of ['a', 'b']) await processor.addJob(job, { customer: 'acme' }, { id });
  await processor.pullNextJob();
  await processor.pullNextJob();
  return processor;
}

test('limits lists what jobs wait for, and get tells it of a job', async () => {
  expect((await run(['limits'])).out).toMatch(/No job waits for a limit/);
  await waiting();

  expect((await run(['limits'])).out).toMatch(/\nimport=acme +1 +\S+( ago)? +1 +1 *\n$/);
  expect(await json(['limits', '--order', 'fullest'])).toMatchObject({
    limits: [{ key: 'import=acme', waiting: { count: 1, isCapped: false }, taken: 1, slowedUntil: null }],
  });
  expect((await run(['get', 'b'])).out).toMatch(/waits for +a place in the limit import=acme\n/);
  expect((await run(['limits', 'get', 'import=acme'])).out).toMatch(/held by +a \(import, processing\)\n/);
});

test('a strict order goes on without the failed job that stops it', async () => {
  const ordered = defineJob({
    name: 'event',
    ordering: {},
    run: () => {
      throw new RemoteException('no');
    },
  });
  const processor = database.processor();
  await processor.addJobFactory(ordered);
  await processor.addJob(ordered, undefined, { id: 'failed' });
  await processor.processNextJob();
  expect((await run(['limits'])).out).toMatch(/\norder event +0 +1 +stopped by failed\n$/);
  expect((await run(['limits', 'skip', 'order event'])).out).toBe('order event goes on without job failed\n');
  expect((await run(['limits', 'skip', 'order event'])).err).toMatch(/No failed job stops 'order event'/);
});

test('limits are set, paused and resumed', async () => {
  const processor = await waiting();

  expect((await run(['limits', 'pause', 'import=acme'])).out).toMatch(/^import=acme is paused since .+Z\n$/);
  expect((await run(['limits', 'set', 'import=acme', '3'])).out).toBe('import=acme has 3 places\n');
  expect((await run(['limits'])).out).toMatch(/ 3 \(set\) +paused (now|\S+ ago) *\n$/);
  expect(await json(['limits', 'resume', 'import=acme'])).toEqual({
    key: 'import=acme',
    max: 3,
    paused: null,
  });
  expect((await processor.pullNextJob())?.id).toBe('b');
  expect((await run(['limits', 'set', 'import=acme', 'none'])).out).toMatch(/as the code says/);
  expect(await run(['limits', 'set', 'import=acme', 'many'])).toMatchObject({ code: 2 });
  expect((await run(['limits', 'set', 'import=acme', '0'])).err).toMatch(/max/);
});

test('limits shows an open circuit breaker, and resume closes it', async () => {
  const charge = defineJob({
    name: 'charge',
    circuitBreaker: { failures: 1, within: '1m', pause: '1m' },
    run: () => Promise.reject(new Error('The bank is down.')),
  });
  const processor = database.processor();
  await processor.addJobFactory(charge);
  await processor.addJob(charge);
  await processor.processNextJob();

  expect((await run(['limits'])).out).toMatch(/\nbreaker charge .*open, one is tried in \S+/);
  await run(['limits', 'resume', 'breaker charge']);
  expect((await run(['limits'])).out).toMatch(/No job waits for a limit/);
});
