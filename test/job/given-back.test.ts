import { expect, test } from 'vitest';
import { MAX_UNFINISHED } from '../../src/job/end-attempt.js';
import { settleJobs } from '../../src/job/settle-jobs.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

test('the error that ends a job which was given back too often takes the place of its oldest one, as any does', async () => {
  const processor = database.processor();
  const { jobs } = database.collections();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { id: 'a' });
  const errors = Array.from({ length: 20 }, (_, n) => ({
    at: new Date(),
    message: `error ${n}`,
    attempt: 1,
  }));
  const history = { errors, errorsDropped: 4, unfinishedCounter: MAX_UNFINISHED - 1 };
  await jobs.updateOne({ _id: 'a' }, { $set: history });
  const { token = '' } = (await processor.pullNextJob()) ?? {};
  const outcome = { kind: 'givenBack', atDeadline: true } as const;
  expect(await settleJobs(jobs, [{ id: 'a', token, outcome }])).toEqual(['error']);
  const job = await processor.getJob('a');
  expect(job?.errorsDropped).toBe(5);
  expect(job?.errors).toHaveLength(20);
  expect(job?.errors[0]?.message).toBe('error 1');
  expect(job?.errors.at(-1)?.message).toContain('it does not fit');
});
