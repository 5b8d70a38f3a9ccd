import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../src/index.js';
import { expectProblem, jobOf, useApi } from './api.js';

const api = useApi();

const order = defineJob({
  name: 'order',
  input: z.unknown(),
  run: async ({ step }) => {
    await step.run('charge', () => ({ id: 'ch_1' }));
    return step.waitForSignal('paid', { timeout: '3 days' });
  },
});

async function waiting(): Promise<string> {
  await api.processor.addJobFactory(order);
  const id = await api.processor.addJob('order', {});
  await api.processor.drain();
  return id;
}

const outcomeOf = async (response: Response) => [response.status, await response.json()];

test('a job that waits is shown with its steps, and goes on when the signal is sent', async () => {
  const id = await waiting();
  const steps = `/v1/jobs/${id}/steps`;
  const wait = { name: 'paid', kind: 'signal', signal: 'paid', until: expect.stringMatching(/Z$/) };

  expect(await jobOf(await api.call(`/v1/jobs/${id}`))).toMatchObject({
    steps: { run: 1, version: 1, waits: [wait] },
  });
  expect(await (await api.call(steps, { key: 'key-of-read' })).json()).toMatchObject({
    run: 1,
    steps: [
      { name: 'charge', kind: 'run', state: 'completed', tries: 0, result: { id: 'ch_1' }, failure: null },
    ],
    waits: [wait],
    signals: [],
    leftOut: [],
    dropped: 0,
  });
  const body = { payload: { $amount: 12 }, signalId: 'event-1' };
  const path = `/v1/jobs/${id}/signals/paid`;
  expect(await outcomeOf(await api.call(path, { body }))).toEqual([200, { outcome: 'delivered' }]);
  expect(await outcomeOf(await api.call(path, { body }))).toEqual([200, { outcome: 'duplicate' }]);
  expect(await (await api.call(steps)).json()).toMatchObject({
    waits: [],
    signals: [{ name: 'paid', payload: { $amount: 12 } }],
  });
  expect(api.kicks).toBe(1);

  await api.processor.drain();
  expect(await jobOf(await api.call(`/v1/jobs/${id}`))).toMatchObject({ output: { $amount: 12 } });
  await expectProblem(await api.call(path, { body: {} }), 409, 'conflict');
});

test('a signal with an Idempotency-Key is sent once, and its first answer is repeated', async () => {
  const id = await waiting();
  const send = () =>
    api.call(`/v1/jobs/${id}/signals/paid`, { body: { payload: 1 }, headers: { 'idempotency-key': 'k' } });

  expect(await outcomeOf(await send())).toEqual([200, { outcome: 'delivered' }]);
  expect(await outcomeOf(await send())).toEqual([200, { outcome: 'delivered' }]);
  expect((await api.processor.jobs.steps(id)).signals).toHaveLength(1);
});

test('a bad signal is refused, and changes nothing', async () => {
  const id = await waiting();
  const paid = `/v1/jobs/${id}/signals/paid`;

  await expectProblem(await api.call('/v1/jobs/nobody/signals/paid', { body: {} }), 404, 'not_found');
  await expectProblem(await api.call(paid, { body: {}, key: 'key-of-read' }), 403, 'forbidden');
  await expectProblem(
    await api.call(paid, { body: { payload: 'a'.repeat(65_537) } }),
    422,
    'validation_failed',
  );
  await expectProblem(await api.call(paid, { body: { signalId: '' } }), 422, 'validation_failed');
  await expectProblem(
    await api.call(`/v1/jobs/${id}/signals/${'a'.repeat(201)}`, { body: {} }),
    422,
    'validation_failed',
  );
  expect((await api.processor.jobs.steps(id)).signals).toEqual([]);
});

test('a mailbox that is full takes no more', async () => {
  const id = await waiting();
  for (let n = 0; n < 100; n += 1) await api.processor.signal(id, 'another', n);

  const problem = await expectProblem(
    await api.call(`/v1/jobs/${id}/signals/paid`, { body: {} }),
    409,
    'conflict',
  );
  expect(problem.detail).toContain('100 wait for it already');
});

test('a signal needs the role that adding the job needs', async () => {
  await api.processor.addJobFactory(defineJob({ name: 'order', addRole: 'admin', run: () => 1 }));
  const id = await api.processor.addJob('order');
  const path = `/v1/jobs/${id}/signals/paid`;

  await expectProblem(await api.call(path, { body: {} }), 403, 'forbidden');
  expect((await api.call(path, { body: {}, key: 'key-of-admin' })).status).toBe(200);
});

test('steps that are too large to send are shown without their values', async () => {
  const large = defineJob({
    name: 'large',
    run: async ({ step }) => {
      for (let n = 0; n < 6; n += 1) await step.run(`read ${n}`, () => 'a'.repeat(1_000_000));
    },
  });
  await api.processor.addJobFactory(large);
  const id = await api.processor.addJob('large');
  await api.processor.drain();

  const response = await api.call(`/v1/jobs/${id}/steps`);
  expect(await response.json()).toMatchObject({
    steps: Array.from({ length: 6 }, (_, n) => ({ name: `read ${n}`, result: null })),
    leftOut: expect.arrayContaining(['result']),
  });
});
