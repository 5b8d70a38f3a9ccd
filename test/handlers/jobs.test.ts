import { expect, test } from 'vitest';
import { jobs } from '../../handlers/jobs.js';
import { readConfig } from '../../src/config.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

test('each kind of job has its name, and can be added by name without its code', async () => {
  const factories = jobs(readConfig({}));
  await database.processor().addJobFactories(factories);

  const known = await database.processor().getJobFactories();

  expect(Object.keys(known).sort()).toEqual(['checksum', 'echo', 'removeOldJobs', 'webhook']);
  for (const { inputSchema } of Object.values(known)) expect(inputSchema).not.toBeNull();
});

const examples: Record<string, unknown> = {
  checksum: { data: 'aGVsbG8=' },
  echo: { foo: 'bar' },
  removeOldJobs: { olderThan: '30 days' },
  webhook: { url: 'https://example.com/', body: {}, timeout: '5s' },
};

test.each(Object.entries(examples))('%s is accepted by a producer without its code', async (name, input) => {
  await database.processor().addJobFactories(jobs(readConfig({})));

  const id = await database.processor().addJob(name, input);

  expect((await database.processor().getJob(id))?.input).toEqual(input);
});

test.each([
  ['a private address', {}, 'error'],
  ['a private address that is allowed', { WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true' }, 'queued'],
])('by its settings a webhook to %s ends %s', async (_, env, status) => {
  const processor = database.processor();
  await processor.addJobFactories(jobs(readConfig(env)));
  const id = await processor.addJob('webhook', { url: 'http://127.0.0.1:1/', body: {} });

  await processor.processNextJob();

  expect(await processor.getJobStatus(id)).toBe(status);
});
