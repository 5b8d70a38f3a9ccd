import { expect, test } from 'vitest';
import { createKick, kickDepth } from '../../handlers/kick.js';
import { MAX_KICK_DEPTH } from '../../handlers/wake-up-event.js';
import type { Logger } from '../../src/index.js';
import { silent } from '../database.js';
import { eventually } from '../eventually.js';
import { useLambdaService } from './lambda-service.js';

const lambda = useLambdaService();

function kickOf({ endpoint = lambda().url, log = silent }: { endpoint?: string; log?: Logger } = {}) {
  const limits = { maxThreads: 10, maxWorkers: 4 };
  return createKick({ functionName: 'the-worker', endpoint, limits, log });
}

function warnings() {
  const messages: string[] = [];
  return { messages, log: { ...silent, warn: (message: string) => void messages.push(message) } };
}

test('a kick invokes the worker without waiting for its result, and tells the depth', async () => {
  await kickOf()({ depth: 3 });

  expect(lambda().invocations).toEqual([
    { path: '/2015-03-31/functions/the-worker/invocations', type: 'Event', payload: { kick: { depth: 3 } } },
  ]);
});

test('what a kick sends is what a worker reads', async () => {
  await kickOf()({ depth: 3 });

  expect(kickDepth(lambda().invocations[0]?.payload)).toBe(3);
});

test.each([
  undefined,
  null,
  {},
  { source: 'aws.events', 'detail-type': 'Scheduled Event' },
  { kick: {} },
  { kick: { depth: '3' } },
  { kick: { depth: -1 } },
  { kick: { depth: 51 } },
])('the event %j is no kick', (event) => {
  expect(kickDepth(event)).toBeUndefined();
});

test('kicks at the same time are one', async () => {
  const kick = kickOf();

  await Promise.all([kick(), kick(), kick()]);
  expect(lambda().invocations).toHaveLength(1);

  await kick();
  expect(lambda().invocations).toHaveLength(2);
});

test('a kick asks for several workers, and shares those that are asked for meanwhile', async () => {
  const kick = kickOf();

  await Promise.all([kick({ workers: 2 }), kick(), kick({ workers: 5 }), kick({ workers: 3 })]);
  expect(lambda().invocations).toHaveLength(5);
});

test.each([
  [1, 1],
  [100, 1],
  [101, 2],
  [100_000, 4],
])('a kick for %i jobs asks for %i workers', async (jobs, workers) => {
  await kickOf()({ jobs });
  expect(lambda().invocations).toHaveLength(workers);
});

test('a chain of kicks ends', async () => {
  await kickOf()({ depth: MAX_KICK_DEPTH });
  await kickOf()({ depth: MAX_KICK_DEPTH + 1 });

  expect(lambda().invocations).toHaveLength(1);
});

test('a kick that fails is tried twice, logged, and harms nobody', async () => {
  const { messages, log } = warnings();
  lambda().answer = 500;

  await kickOf({ log })();

  expect(lambda().invocations).toHaveLength(2);
  expect(messages).toEqual(['The kick failed: jobs wait for the next minute']);
});

test('a kick whose kept connections were reset while the container was frozen arrives', async () => {
  const { messages, log } = warnings();
  const kick = kickOf({ log });
  await Promise.all([kick(), kick({ workers: 3 })]); // Three connections are kept.
  lambda().resetsKept = true;

  await kick();

  expect(lambda().invocations).toHaveLength(4);
  expect(messages).toEqual([]);
});

test('jobs that are due later ask for no worker now', async () => {
  await kickOf()({ jobs: 0, dueInMs: [5_000] });

  expect(lambda().invocations).toEqual([]);
});

test('a kick that is not answered is given up after a second', async () => {
  const { messages, log } = warnings();
  lambda().answer = 'never';
  const began = performance.now();

  await kickOf({ log })();

  expect(performance.now() - began).toBeLessThan(5_000);
  expect(messages).toHaveLength(1);
});

test('a kick that nobody receives harms nobody, is told once, and others are not sent for a while', async () => {
  const { messages, log } = warnings();
  const kick = kickOf({ log });
  lambda().answer = 500;

  await Promise.all([kick(), kick({ workers: 3 }), kick({ jobs: 0, dueInMs: [5_000] })]);
  const { length: sent } = lambda().invocations;
  await kick();

  expect(lambda().invocations).toHaveLength(sent);
  expect(messages).toHaveLength(1);
});

test('a kick is tried again a while after one that failed, and when it arrives they all are', async () => {
  const kick = kickOf();
  lambda().answer = 500;
  await kick();
  lambda().answer = 202;
  const { length: sent } = lambda().invocations;

  await eventually(async () => {
    await kick();
    expect(lambda().invocations).toHaveLength(sent + 1);
  });
  await kick();

  expect(lambda().invocations).toHaveLength(sent + 2);
});

test('without a function to kick, a kick does nothing', async () => {
  await createKick({ functionName: undefined, endpoint: lambda().url, log: silent })();

  expect(lambda().invocations).toEqual([]);
});
