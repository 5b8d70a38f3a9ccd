import { expect, test } from 'vitest';
import { expectProblem, useApi } from './api.js';

const api = useApi();
const queues = async () => (await api.call('/v1/queues', { key: 'key-of-read' })).json();
const admin = { method: 'POST', key: 'key-of-admin' };

test('queues are listed with what waits in them', async () => {
  await api.processor.addJob('echo', {});
  await api.processor.addJob('echo', {}, { delay: '1h' });

  expect(await queues()).toEqual({
    queues: [
      {
        name: 'default',
        ready: { count: 1, isCapped: false },
        delayed: { count: 1, isCapped: false },
        oldest: expect.stringMatching(/Z$/),
        paused: null,
      },
    ],
    cursor: null,
  });
});

test('a queue is paused and resumed, by a name that is decoded', async () => {
  const paused = await api.call('/v1/queues/a%2Fb%25/pause', admin);

  expect(paused.status).toBe(200);
  expect(await paused.json()).toEqual({ name: 'a/b%', paused: expect.stringMatching(/Z$/) });
  expect(await queues()).toMatchObject({ queues: [{ name: 'a/b%', oldest: null }] });
  const resumed = await api.call('/v1/queues/a%2Fb%25/resume', admin);
  expect(await resumed.json()).toEqual({ name: 'a/b%', paused: null });
  expect(await queues()).toEqual({ queues: [], cursor: null });
  expect(api.kicks).toBe(1);
});

test.each(['pause', 'resume'])('only an admin may %s a queue', async (what) => {
  const response = await api.call(`/v1/queues/default/${what}`, { method: 'POST' });

  await expectProblem(response, 403, 'forbidden');
  expect(await queues()).toEqual({ queues: [], cursor: null });
});

test.each(['x'.repeat(201), '€'.repeat(201)])('the name %s is refused', async (name) => {
  const problem = await expectProblem(
    await api.call(`/v1/queues/${name}/pause`, admin),
    422,
    'validation_failed',
  );
  expect(problem.issues).toMatchObject([{ path: 'name' }]);
  expect(await queues()).toEqual({ queues: [], cursor: null });
});
