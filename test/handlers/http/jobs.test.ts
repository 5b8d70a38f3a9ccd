import { expect, test } from 'vitest';
import { expectProblem, jobOf, useApi } from './api.js';

const api = useApi();

test('a job is added, run, and its result read back', async () => {
  const added = await api.call('/v1/jobs', { body: { name: 'echo', input: { foo: 'bar' } } });

  expect(added.status).toBe(202);
  const { id, status } = await jobOf(added);
  expect(status).toBe('queued');
  expect(added.headers.get('location')).toBe(`/v1/jobs/${id}`);
  await api.processor.processJobs();
  const job = await jobOf(await api.call(`/v1/jobs/${id}`));
  expect(job).toMatchObject({ id, jobName: 'echo', status: 'completed', output: { foo: 'bar' }, errors: [] });
});

test('a job shows every member, and neither tokens nor workers', async () => {
  const id = await api.processor.addJob('echo', {});
  const lease = await api.processor.pullNextJob();

  const text = await (await api.call(`/v1/jobs/${id}`)).text();

  expect(text).not.toContain(lease?.token);
  expect(JSON.parse(text)).toEqual({
    id,
    jobName: 'echo',
    queue: 'default',
    priority: 0,
    status: 'processing',
    input: {},
    output: null,
    progress: null,
    errors: [],
    attempts: [
      { attempt: 1, queued: expect.any(String), claimed: expect.any(String), ended: null, outcome: null },
    ],
    runAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    created: expect.any(String),
    queued: expect.any(String),
    picked: expect.any(String),
    started: expect.any(String),
    completed: null,
    cancelRequested: null,
    failureKey: null,
    retryCounter: 1,
    givenBackCounter: 0,
    maxRetries: 3,
    retryDelay: 10_000,
    blockedBy: null,
    postponedBy: null,
    group: null,
    parents: null,
    waitsFor: null,
    steps: null,
    uniqueKey: null,
    keys: [],
    occurrence: null,
    leftOut: [],
  });
});

test('a settled job shows no token either', async () => {
  const id = await api.processor.addJob('echo', {});
  const job = await api.processor.pullNextJob();
  if (job) await api.processor.completeJob(job, {});

  const text = await (await api.call(`/v1/jobs/${id}`)).text();

  expect(text).not.toContain(job?.token);
});

test('a job that failed shows its errors', async () => {
  const id = await api.processor.addJob('failing');
  await api.processor.processJobs();

  const job = await jobOf(await api.call(`/v1/jobs/${id}`));

  expect(job).toMatchObject({ status: 'error', output: null });
  expect(job.errors).toMatchObject([{ attempt: 1, message: 'It is hopeless.' }]);
});

test('the options of an add are kept', async () => {
  const options = {
    id: 'mine',
    queue: 'mail',
    priority: 5,
    maxRetries: 7,
    retryDelay: '1m',
    runAt: '2030-01-31T09:05:06+01:00',
    uniqueKey: 'once',
  };

  await api.call('/v1/jobs', { body: { name: 'echo', input: {}, options } });

  const job = await jobOf(await api.call('/v1/jobs/mine'));
  expect(job).toMatchObject({ ...options, retryDelay: 60_000, runAt: '2030-01-31T08:05:06.000Z' });
});

test('an input without options may be left out where the job allows it', async () => {
  const response = await api.call('/v1/jobs', { body: { name: 'anything' } });

  expect(response.status).toBe(202);
});

test('the worker is kicked for a job that can run at once, and only for such', async () => {
  await api.call('/v1/jobs', { body: { name: 'echo', input: {} } });
  await api.call('/v1/jobs', {
    body: { name: 'echo', input: {}, options: { runAt: '2000-01-01T00:00:00Z' } },
  });
  expect(api.kicks).toBe(2);

  await api.call('/v1/jobs', { body: { name: 'echo', input: {}, options: { delay: '1h' } } });
  await api.call('/v1/jobs', {
    body: { name: 'echo', input: {}, options: { runAt: '2099-01-01T00:00:00Z' } },
  });
  await api.call('/v1/jobs', { body: { name: 'nobody' } });
  expect(api.kicks).toBe(2);
});

test('adding the same id again is harmless, and tells the status that the job has by now', async () => {
  const body = { name: 'echo', input: { foo: 'bar' }, options: { id: 'mine' } };
  await api.call('/v1/jobs', { body });
  await api.processor.processJobs();

  const again = await api.call('/v1/jobs', { body });

  expect(again.status).toBe(202);
  expect(await again.json()).toEqual({
    id: 'mine',
    status: 'completed',
    outcome: 'kept',
    inputDiffers: false,
  });
  expect(await api.storedJobs()).toBe(1);
});

test('an id that another job has is a conflict', async () => {
  await api.call('/v1/jobs', { body: { name: 'echo', input: { foo: 'bar' }, options: { id: 'mine' } } });

  const other = await api.call('/v1/jobs', {
    body: { name: 'echo', input: { foo: 'other' }, options: { id: 'mine' } },
  });

  await expectProblem(other, 409, 'conflict');
  expect((await api.processor.getJob('mine'))?.input).toEqual({ foo: 'bar' });
});

test('a unique key gives the job that has it', async () => {
  const body = { name: 'echo', input: {}, options: { uniqueKey: 'once' } };

  const first = await jobOf(await api.call('/v1/jobs', { body }));
  const second = await jobOf(await api.call('/v1/jobs', { body }));

  expect(first).toMatchObject({ status: 'queued', outcome: 'added', inputDiffers: false });
  expect(second).toEqual({ ...first, outcome: 'kept' });
  expect(await api.storedJobs()).toBe(1);
});

test('the answer tells what became of a job whose unique key is taken, one by one and in a batch', async () => {
  const job = (n: number, unique: object) => ({
    name: 'echo',
    input: { n },
    options: { unique: { key: 'k', ...unique } },
  });
  const { id } = await jobOf(await api.call('/v1/jobs', { body: job(1, {}) }));
  const kept = await api.call('/v1/jobs', { body: job(2, {}) });
  expect(await kept.json()).toEqual({ id, status: 'queued', outcome: 'kept', inputDiffers: true });

  const replaced = await api.call('/v1/jobs', { body: job(3, { mode: 'replace' }) });
  expect(await replaced.json()).toEqual({ id, status: 'queued', outcome: 'replaced', inputDiffers: false });

  const jobs = [job(4, { mode: 'replace' }), { name: 'echo', input: { n: 5 } }, job(6, {})];
  const batch = await api.call('/v1/jobs/batch', { body: { jobs } });
  const outcomes = ['replaced', 'added', 'kept'].map((outcome) => expect.objectContaining({ outcome }));
  expect(await batch.json()).toEqual({ ids: [id, expect.any(String), id], jobs: outcomes });
  expect((await api.processor.getJob(id))?.input).toEqual({ n: 4 });
});

test('debounce puts the waiting job off', async () => {
  const options = { debounce: { key: 'k', delay: '1h', maxWait: '2h' } };
  const first = await jobOf(await api.call('/v1/jobs', { body: { name: 'echo', input: { n: 1 }, options } }));
  const second = await jobOf(
    await api.call('/v1/jobs', { body: { name: 'echo', input: { n: 2 }, options } }),
  );
  expect(second).toMatchObject({ id: first.id, outcome: 'replaced' });
  expect(await api.processor.drain()).toMatchObject({ claimed: 0 });
});

test.each(['a/b', 'a b', 'a%2Fb', '100%', 'what?', 'a#b', 'a+b', 'ä', '🙂', '...', '\'"<>'])(
  'a job with the id %s is found where Location says',
  async (id) => {
    const added = await api.call('/v1/jobs', { body: { name: 'echo', input: {}, options: { id } } });

    const job = await jobOf(await api.call(added.headers.get('location') ?? ''));

    expect(job.id).toBe(id);
  },
);

test('a queued job is cancelled at once', async () => {
  const id = await api.processor.addJob('echo', {});

  const response = await api.call(`/v1/jobs/${id}/cancel`, { method: 'POST' });

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ id, status: 'cancelled' });
});

test('a running job is asked to stop', async () => {
  const id = await api.processor.addJob('echo', {});
  await api.processor.pullNextJob();

  const response = await api.call(`/v1/jobs/${id}/cancel`, { method: 'POST' });

  expect(await response.json()).toEqual({ id, status: 'processing' });
});

test('a settled job cannot be cancelled', async () => {
  const id = await api.processor.addJob('echo', {});
  await api.processor.processJobs();

  await expectProblem(await api.call(`/v1/jobs/${id}/cancel`, { method: 'POST' }), 409, 'conflict');
  expect(await api.processor.getJobStatus(id)).toBe('completed');
});

test('a job that is not there is not found', async () => {
  await expectProblem(await api.call('/v1/jobs/nothing'), 404, 'not_found');
  await expectProblem(await api.call('/v1/jobs/nothing/cancel', { method: 'POST' }), 404, 'not_found');
});

test('HEAD answers as GET does, without the body', async () => {
  const id = await api.processor.addJob('echo', {});

  const response = await api.call(`/v1/jobs/${id}`, { method: 'HEAD' });

  expect(response.status).toBe(200);
  expect(await response.text()).toBe('');
});

test('an input full of what MongoDB would evaluate comes back unchanged', async () => {
  const input = {
    $where: 'sleep(1000)',
    $set: { status: 'completed' },
    'a.b': { 'c.d': '$status' },
    '': ['$$NOW', '$$ROOT', { $literal: 1 }, { $gt: '' }],
    constructor: { prototype: { polluted: true } },
    toString: 'text',
    emoji: '👩‍🚀',
    numbers: [0, -1, 1.5, 1e308, 9007199254740991, -2147483649],
    nothing: null,
  };

  const added = await api.call('/v1/jobs', { body: { name: 'anything', input } });

  const { id } = await jobOf(added);
  await api.processor.processJobs();
  const job = await jobOf(await api.call(`/v1/jobs/${id}`));
  expect(job.input).toEqual(input);
  expect(job.output).toEqual(input);
  expect(job.status).toBe('completed');
});
