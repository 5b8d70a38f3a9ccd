import { Binary } from 'mongodb';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

test('an outcome that the database refuses harms no other that is written with it', async () => {
  let arrived = 0;
  let bothHere = () => {};
  const both = new Promise<void>((resolve) => {
    bothHere = resolve;
  });
  const grow = defineJob({
    name: 'grow',
    input: z.int(),
    output: z.string(),
    run: async ({ input }) => {
      arrived += 1;
      if (arrived === 2) bothHere();
      await both; // so that both outcomes are written together
      return 'x'.repeat(input);
    },
  });
  const processor = database.processor({ maxThreads: 2 });
  await processor.addJobFactory(grow);
  await processor.addJob(grow, 3_900_000, { id: 'large' });
  await processor.addJob(grow, 1, { id: 'small' });
  const jobs = database.db.collection<{ _id: string }>(collectionNames.jobs);
  await jobs.updateOne({ _id: 'large' }, { $set: { filler: new Binary(Buffer.alloc(13_000_000)) } });
  const settled: string[] = [];
  processor.on('jobSettled', ({ jobId }) => settled.push(jobId));
  expect(await processor.drain()).toMatchObject({ completed: 1, unsettled: 1 });
  expect(settled).toEqual(['small']);
});
