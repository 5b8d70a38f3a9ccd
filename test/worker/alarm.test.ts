import { expect, test } from 'vitest';
import { Alarm } from '../../src/worker/alarm.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

test('an answer that comes after the invocation has ended starts no timer', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {}, { delay: '30s' });
  const filter = { jobNames: ['echo'] };
  const { jobs } = database.collections();
  const open = new Alarm(jobs, undefined);
  expect(await open.ringsWhenDue(filter, 60_000)).toBe(true);
  open.close();
  const closed = new Alarm(jobs, undefined);
  const known = closed.ringsWhenDue(filter, 60_000);
  closed.close();
  expect(await known).toBe(false);
});
