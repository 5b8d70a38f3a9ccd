import { once } from 'node:events';
import type { CommandStartedEvent, CommandSucceededEvent } from 'mongodb';
import { expect, test } from 'vitest';
import { createApp } from '../../../handlers/http/app.js';
import { defineJob } from '../../../src/index.js';
import { collectionNames } from '../../collection-names.js';
import { silent } from '../../database.js';
import { eventually } from '../../eventually.js';
import { Gate, gatedJob } from '../../jobs.js';
import { apiKeys, expectProblem, jobOf, useApi } from './api.js';

const api = useApi({}, { monitorCommands: true });

/** The reads of one job that its database was asked for. */
const readsDuring = async (work: () => Promise<unknown>) => {
  const commands = await api.database.commandsDuring(work);
  return commands.filter(({ commandName }) => commandName === 'find').map(({ command }) => command);
};

test('a job that is settled is shown at once', async () => {
  const id = await api.processor.addJob('echo', {});
  await api.processor.processJobs();

  const reads = await readsDuring(() => api.call(`/v1/jobs/${id}?wait=25`));

  expect(reads).toHaveLength(1);
  expect(reads[0]?.filter).toEqual({ _id: id });
});

test('a job is shown when it is settled, and read by its id alone in the meantime', async () => {
  const { gate, factory } = gatedJob();
  await api.processor.addJobFactory(factory);
  const id = await api.processor.addJob('gated', 'the output');
  const waiting = api.call(`/v1/jobs/${id}?wait=25`);
  const processing = api.processor.processJobs();
  await eventually(() => expect(gate.arrived).toBe(1));
  gate.open();
  await processing;

  expect(await jobOf(await waiting)).toMatchObject({ status: 'completed', output: 'the output' });
});

test.each(['', '?wait=1'])(
  'however many jobs are asked for%s at once, two are read at a time: they may be large',
  async (query) => {
    const ids = await api.processor.addJobs(
      Array.from({ length: 12 }, (_, n) => ({ name: 'echo', input: { n } })),
    );
    const { client } = api.database;
    const underWay = new Set<number>();
    let most = 0;
    const begin = ({ commandName, requestId }: CommandStartedEvent) => {
      if (commandName === 'find') underWay.add(requestId);
      most = Math.max(most, underWay.size);
    };
    const end = ({ requestId }: CommandSucceededEvent) => underWay.delete(requestId);
    client.on('commandStarted', begin).on('commandSucceeded', end);

    const answers = await Promise.all(ids.map((id) => api.call(`/v1/jobs/${id}${query}`)));

    client.off('commandStarted', begin).off('commandSucceeded', end);
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200));
    expect(most).toBeLessThanOrEqual(2);
  },
);

test('many that wait hold up nobody: lists and other jobs are shown meanwhile', async () => {
  const id = await api.processor.addJob('echo', {});
  const other = await api.processor.addJob('failing');
  let ended = 0;
  const waiting = [1, 2, 3, 4].map(async () => {
    const response = await api.call(`/v1/jobs/${id}?wait=25`);
    ended += 1;
    return jobOf(response);
  });

  for (const path of ['/v1/jobs', `/v1/jobs/${other}`]) expect((await api.call(path)).status).toBe(200);

  expect(ended).toBe(0);
  await api.processor.cancelJob(id);
  for (const job of await Promise.all(waiting)) expect(job).toMatchObject({ status: 'cancelled' });
});

test.each(['error', 'cancelled'])('a job that ends as %s ends the wait', async (status) => {
  const id = await api.processor.addJob('failing');
  const waiting = api.call(`/v1/jobs/${id}?wait=25`);
  await (status === 'error' ? api.processor.processJobs() : api.processor.cancelJob(id));

  expect(await jobOf(await waiting)).toMatchObject({ status });
});

test('when the time is up the job is shown as it is', async () => {
  const id = await api.processor.addJob('echo', {});

  const response = await api.call(`/v1/jobs/${id}?wait=1`);

  expect(response.status).toBe(200);
  expect(await jobOf(response)).toMatchObject({ id, status: 'queued' });
});

test('the reads grow rarer: few in a second', async () => {
  const id = await api.processor.addJob('echo', {});

  const reads = await readsDuring(() => api.call(`/v1/jobs/${id}?wait=1`));

  expect(reads.length).toBeLessThanOrEqual(7);
});

test('a wait never outlasts the time of the function', async () => {
  const id = await api.processor.addJob('echo', {});
  const { processor } = api;
  const app = createApp({ processor, apiKeys, log: silent, timeLeft: () => 2_100 });

  const reads = await readsDuring(async () =>
    app.request(`/v1/jobs/${id}?wait=25`, { headers: { authorization: 'Bearer key-of-read' } }),
  );

  expect(reads.length).toBeLessThanOrEqual(4);
});

test('a client that goes away ends the wait', async () => {
  const id = await api.processor.addJob('echo', {});
  const controller = new AbortController();
  const gone = api.call(`/v1/jobs/${id}?wait=25`, { signal: controller.signal }).catch(() => 'gone');
  await once(api.database.client, 'commandSucceeded');
  controller.abort();
  expect(await gone).toBe('gone');

  await eventually(() => expect(api.logged).toContain(`/v1/jobs/${id}`));
  expect(api.logged).not.toContain('"error"');
});

test('a job that is removed meanwhile is not found', async () => {
  const id = await api.processor.addJob('echo', {});
  const waiting = api.call(`/v1/jobs/${id}?wait=25`);
  await api.database.db.collection(collectionNames.jobs).deleteMany({});

  await expectProblem(await waiting, 404, 'not_found');
});

test.each(['26', '-1', '1.5', '1s', '', ' 1', '0x1', '1e1', 'NaN'])(
  'to wait for %j is refused',
  async (wait) => {
    const response = await api.call(`/v1/jobs/x?wait=${encodeURIComponent(wait)}`);

    const problem = await expectProblem(response, 422, 'validation_failed');
    expect(problem.issues).toEqual([{ path: 'wait', message: 'expected a whole number from 0 to 25' }]);
  },
);

test('a job that is gone at its end, since it is not kept, ends the wait with an answer that says so', async () => {
  const gate = new Gate();
  const fleeting = defineJob({
    name: 'fleeting',
    retention: { completed: 0 },
    run: ({ signal }) => gate.pass(signal),
  });
  await api.processor.addJobFactory(fleeting);
  const id = await api.processor.addJob('fleeting');
  let reads = 0;
  const count = () => {
    reads += 1;
  };
  const processing = api.processor.processJobs();
  await eventually(() => expect(gate.arrived).toBe(1));
  api.database.client.on('commandStarted', count);
  const waiting = api.call(`/v1/jobs/${id}?wait=25`);
  await eventually(() => expect(reads).toBeGreaterThan(0));
  api.database.client.off('commandStarted', count);
  gate.open();
  await processing;

  await expectProblem(await waiting, 404, 'not_found');
});
