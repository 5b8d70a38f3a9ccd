import { expect, test } from 'vitest';
import { useDatabase } from '../database.js';
import { echo, failing } from '../jobs.js';

const database = useDatabase({ monitorCommands: true });
const unique = (uniqueKey: string) => ({ name: 'echo', input: {}, options: { uniqueKey } });

let count = 0;
/** A processor on collections that nothing was added to by this process. */
async function fresh() {
  count += 1;
  const processor = database.processor({ collectionPrefix: `fresh${count}.` });
  await processor.addJobFactories([echo, failing]);
  return processor;
}

const looks = (commands: readonly { readonly commandName: string }[]) =>
  commands.filter(({ commandName }) => commandName === 'listIndexes').length;

test('without its index no unique key is taken, as long as it is missing', async () => {
  const processor = await fresh();
  const error = {
    code: 'index_missing',
    message: expect.stringMatching(/processor\.ensureIndexes\(\).*npm run ensure-indexes/),
  };

  const adds = Array.from({ length: 20 }, () => processor.addJob('echo', {}, { uniqueKey: 'one' }));
  const reasons = (await Promise.allSettled(adds)).map((add) => add.status === 'rejected' && add.reason);
  expect(reasons).toEqual(adds.map(() => expect.objectContaining(error)));
  await expect(processor.addJobs([{ name: 'echo', input: {} }, unique('one')])).rejects.toMatchObject(error);
  expect(await processor.getJobs()).toEqual([]);
  await processor.addJob('echo', {}); // Without a key it may.

  await processor.ensureIndexes();
  const ids = await Promise.all(
    Array.from({ length: 20 }, () => processor.addJob('echo', {}, { uniqueKey: 'one' })),
  );
  expect(new Set(ids).size).toBe(1);
});

test('an index of the same keys that is not unique is none', async () => {
  const processor = await fresh();
  const jobs = database.db.collection(`${processor.collectionPrefix}jobs`);
  await jobs.createIndex({ jobName: 1, uniqueKey: 1 }, { name: 'uniqueKey' });

  const add = processor.addJob('echo', {}, { uniqueKey: 'one' });

  await expect(add).rejects.toMatchObject({ code: 'index_missing' });
});

test('it is looked for once: by all that add at once, and by all processors of a client', async () => {
  const processor = await fresh();
  await processor.ensureIndexes();
  const other = database.processor({ collectionPrefix: processor.collectionPrefix });

  const first = await database.commandsDuring(async () => {
    await Promise.all(['a', 'b'].map((uniqueKey) => processor.addJob('echo', {}, { uniqueKey })));
    await other.addJobs([unique('c'), unique('d')]);
  });
  const plain = await database.commandsDuring(() => processor.addJob('echo', {}));
  const later = await database.commandsDuring(() => processor.addJob('echo', {}, { uniqueKey: 'e' }));

  expect(looks(first)).toBe(1);
  expect([plain, later].map((commands) => commands.map(({ commandName }) => commandName))).toEqual([
    ['update'],
    ['findAndModify'],
  ]);
});

test('in a transaction it is looked for beside it', async () => {
  const processor = await fresh();
  await processor.ensureIndexes();
  await database.client.withSession((session) =>
    session.withTransaction(() => processor.addJob('echo', {}, { uniqueKey: 'one', session })),
  );
  expect(await processor.getJobs()).toHaveLength(1);
});

test('a retried job does not take its key again while nothing keeps that unique', async () => {
  const processor = await fresh();
  const jobs = database.db.collection<{ _id: string }>(`${processor.collectionPrefix}jobs`);
  for (const id of ['with', 'without']) await processor.addJob('failing', undefined, { id });
  await processor.drain();
  await jobs.updateOne({ _id: 'with' }, { $set: { freedUniqueKey: 'one' } });

  await processor.retryJob('without');
  await expect(processor.retryJob('with')).rejects.toMatchObject({ code: 'index_missing' });
  expect(await processor.getJobStatus('with')).toBe('error');
  await processor.ensureIndexes();
  await processor.retryJob('with');
  expect(await processor.getJobStatus('with')).toBe('queued');
});
