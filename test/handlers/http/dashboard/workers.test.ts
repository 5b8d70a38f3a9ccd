import { expect, test } from 'vitest';
import { registerWorker } from '../../../../src/worker/register-worker.js';
import { useApi } from '../api.js';
import { signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();

test('each worker is shown with the jobs that it runs', async () => {
  const browser = await signedIn(api, 'read');
  const show = async () => textOf(await (await browser.get('/dashboard/workers')).text());
  expect(await show()).toContain('No worker is running.');
  const { workers } = api.database.collections();
  const id = await api.processor.addJob('echo', {});
  const job = await api.processor.pullNextJob();
  const [running] = await api.processor.workers.running();
  expect(running).toEqual({
    ...{ id, jobName: 'echo', queue: 'default', worker: expect.any(String), started: job?.started },
  });
  await registerWorker(workers, { _id: running?.worker ?? '', processor: 'root', maxThreads: 4 }, 60_000);
  await registerWorker(workers, { _id: 'idle', processor: 'other', maxThreads: 2, queues: ['mail'] }, 60_000);

  // Both may have begun within the same millisecond, so their order is open.
  expect(await show()).toMatch(/root root-worker .* 1 of 4 echo (now|\d+ s ago) all/);
  expect(await show()).toContain('other idle 0 of 2 mail');
  expect(await (await browser.get('/dashboard/workers')).text()).toContain(`/dashboard/jobs/${id}`);
  for (const limit of [0, 1001])
    await expect(api.processor.workers.running(limit)).rejects.toMatchObject({ name: 'ValidationError' });
});
