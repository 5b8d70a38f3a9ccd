import { expect, test } from 'vitest';
import type { JobDocument } from '../../src/job/job.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { anything } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const jobs = () => database.db.collection<JobDocument>(collectionNames.jobs);

/** A processor, and so many jobs that completed. */
async function setup(count: number) {
  const processor = database.processor();
  await processor.addJobFactory(anything);
  await processor.addJob('anything', 0, { id: 'job 0' });
  await processor.processNextJob();
  const model = await jobs().findOne({ _id: 'job 0' });
  if (model === null) throw new Error('The job that is to be copied is not there.');
  const copies = Array.from({ length: count - 1 }, (_, n) => ({ ...model, _id: `job ${n + 1}` }));
  if (copies.length > 0) await jobs().insertMany(copies);
  return processor;
}

test('jobs are removed a thousand at a time', async () => {
  const processor = await setup(2500);
  await processor.addJob('anything', 1, { id: 'queued' });
  const commands = await database.commandsDuring(async () => {
    expect(await processor.removeJobs(['completed'])).toEqual({ completed: 2500 });
  });
  const deletes = commands.filter(({ commandName }) => commandName === 'delete');
  expect(deletes.map(({ command }) => command.deletes[0].q._id.$in.length)).toEqual([1000, 1000, 500]);
  expect(await jobs().distinct('_id')).toEqual(['queued']);
});

test('what a deadline, or a signal, leaves is told', async () => {
  const processor = await setup(1);
  expect(await processor.removeJobs(['completed'], { deadline: new Date() })).toEqual({
    completed: 0,
    more: true,
  });
  expect(await processor.removeJobs(['completed'], { signal: AbortSignal.abort() })).toEqual({
    completed: 0,
    more: true,
  });
  const deadline = new Date(Date.now() + 60_000);
  expect(await processor.removeJobs(['completed'], { deadline })).toEqual({ completed: 1 });
});

test('a job that another write holds is removed once that is over', async () => {
  const processor = await setup(3);
  await database.client.withSession(async (session) => {
    session.startTransaction();
    await jobs().updateOne({ _id: 'job 1' }, { $set: { output: 'seen' } }, { session });
    const answered = new Promise<void>((resolve) => {
      const note = ({ commandName }: { commandName: string }) => commandName === 'delete' && resolve();
      database.client.on('commandStarted', note);
    });
    const removing = processor.removeJobs(['completed']);
    await answered;
    await session.commitTransaction();
    await removing;
  });
  expect(await jobs().countDocuments()).toBe(0);
});

test('jobs that settled later stay, however long ago they were created', async () => {
  const processor = await setup(3);
  await jobs().updateMany({}, { $set: { created: new Date(0), completed: new Date(0) } });
  await jobs().updateOne({ _id: 'job 1' }, { $set: { completed: new Date() } });
  expect(await processor.removeJobs(['completed'], { olderThan: '1h' })).toEqual({ completed: 2 });
  expect(await jobs().distinct('_id')).toEqual(['job 1']);
});
