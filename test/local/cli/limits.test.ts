import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

test('limits lists what jobs wait for, and get tells it of a job', async () => {
  const job = defineJob({
    name: 'import',
    input: z.object({ customer: z.string() }),
    concurrency: { key: 'customer', limit: 1 },
    run: async () => {},
  });
  const processor = database.processor();
  await processor.addJobFactory(job);
  expect((await run(['limits'])).out).toMatch(/No job waits for a limit/);
  for (const id of ['a', 'b']) await processor.addJob(job, { customer: 'acme' }, { id });
  await processor.pullNextJob();
  await processor.pullNextJob();

  expect((await run(['limits'])).out).toMatch(/\nimport=acme +1 +1 *\n$/);
  expect(await json(['limits'])).toMatchObject({
    limits: [{ key: 'import=acme', waiting: { count: 1, isCapped: false }, taken: 1, slowedUntil: null }],
  });
  expect((await run(['get', 'b'])).out).toMatch(/waits for +a place in the limit import=acme\n/);
});
