import { expect, test } from 'vitest';
import { eventually } from '../../eventually.js';
import { gatedJob } from '../../jobs.js';
import { useApi } from './api.js';

const api = useApi();

test('the workers under way are listed, without the names that stand in leases', async () => {
  expect(await (await api.call('/v1/workers')).json()).toEqual({ workers: [], cursor: null });
  const { gate, factory } = gatedJob();
  await api.processor.addJobFactory(factory);
  const id = await api.processor.addJob('gated');
  const draining = api.processor.drain();
  const text = await eventually(async () => {
    const answer = await (await api.call('/v1/workers', { key: 'key-of-read' })).text();
    expect(answer).toContain('root');
    return answer;
  });

  expect(JSON.parse(text)).toEqual({
    workers: [
      {
        processor: 'root',
        maxThreads: expect.any(Number),
        queues: null,
        started: expect.stringMatching(/Z$/),
        expires: expect.stringMatching(/Z$/),
      },
    ],
    cursor: null,
  });
  const name = (await api.processor.getJob(id))?.lease?.worker ?? '';
  expect(name).not.toBe('');
  expect(text).not.toContain(name);
  const running = await (await api.call('/v1/workers/running', { key: 'key-of-read' })).json();
  expect(running).toEqual({
    running: [{ id, jobName: 'gated', queue: 'default', started: expect.stringMatching(/Z$/) }],
  });
  expect((await api.call('/v1/workers/running?limit=1001')).status).toBe(422);
  gate.open();
  await draining;
});
