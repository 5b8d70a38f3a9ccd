import { MongoClient, type MongoClientOptions } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { LocalProcessor } from '../../local/processor.js';
import { silent } from '../database.js';
import { anything } from '../jobs.js';
import { occurrencesOf, useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase();
const { setup, makeDue, items, jobs } = database;

const hourly = { type: 'Delay', delay: '1h', jobName: 'anything', active: true } as const;

/** A processor with a connection of its own. */
async function withAnother<Result>(
  work: (processor: LocalProcessor, client: MongoClient) => Promise<Result>,
  options: MongoClientOptions = {},
): Promise<Result> {
  const client = new MongoClient(database.uri, { monitorCommands: true, ...options });
  const processor = new LocalProcessor({ db: client.db(database.name), log: silent });
  await processor.addJobFactory(anything);
  try {
    return await work(processor, client);
  } finally {
    await client.close();
  }
}

test('however many schedulers meet, each occurrence makes one job', async () => {
  const processor = await setup();
  const ids = Array.from({ length: 10 }, (_, n) => `item ${n}`);
  for (const id of ids) {
    await processor.addScheduler({ ...hourly, catchUp: 'all', id });
    await makeDue(id, 2.5 * 3600);
  }
  const meet = (count: number): Promise<string[]> =>
    withAnother(async (scheduler) => {
      const others = count === 0 ? [] : meet(count - 1);
      const [own, rest] = await Promise.all([scheduler.scheduleDueItems({ ahead: '80m' }), others]);
      return [...own, ...rest];
    });
  const made = await meet(4);
  expect(made).toHaveLength(10 * (3 + 1));
  const all = await jobs().find().toArray();
  expect(all.map(({ _id }) => _id).sort()).toEqual(made.sort());
  expect(
    new Set(all.map(({ occurrence }) => `${occurrence?.item} ${occurrence?.at.toISOString()}`)).size,
  ).toBe(40);
  for (const item of await processor.getSchedulers())
    expect(item).toMatchObject({ occurrences: 4, version: 1 });
});

test('a scheduler with an outdated view does not make a job again that was done and removed', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...hourly, id: 'tick' });
  await makeDue('tick');
  await withAnother(async (paused, client) => {
    let others: Promise<unknown> | undefined;
    client.on('commandSucceeded', ({ commandName }) => {
      if (commandName === 'find')
        others ??= processor
          .scheduleDueItems()
          .then(() => processor.processJobs())
          .then(() => processor.removeJobs());
    });
    await paused.scheduleDueItems();
    await others;
  });
  await processor.processJobs();
  await processor.removeJobs();
  expect(await processor.scheduleDueItems()).toEqual([]);
  expect(await processor.getJobs()).toEqual([]);
});

test('rescheduling an item that moves on meanwhile tells what is stored', async () => {
  const processor = await setup();
  await processor.addScheduler({ ...hourly, id: 'tick' });
  const moving = async (other: LocalProcessor, client: MongoClient) => {
    const own = client.db(database.name).collection(items().collectionName);
    let moved: Promise<unknown> | undefined;
    client.on('commandSucceeded', ({ commandName }) => {
      if (commandName === 'find')
        moved ??= own.updateOne({ jobName: 'anything' }, { $set: { nextCallTime: new Date(1) } });
    });
    const told = await other.reScheduleItem('tick');
    await moved;
    expect(await processor.getScheduler('tick')).toMatchObject({ nextCallTime: told });
  };
  // By one connection the move comes right after the first read.
  await withAnother(moving, { maxPoolSize: 1 });
});

/** After which statement of a tick a person's change begins. */
const moments = ['find', 'aggregate', 'update', 'commitTransaction'];

describe.each(moments)('while a tick is under way, after its %s,', (moment) => {
  /** A tick, during which something happens. */
  async function tickWhile(work: () => Promise<unknown>): Promise<void> {
    await withAnother(async (scheduler, client) => {
      let meanwhile: Promise<unknown> | undefined;
      client.on('commandSucceeded', ({ commandName }) => {
        if (commandName === moment) meanwhile ??= work();
      });
      await scheduler.scheduleDueItems({ ahead: '150m' });
      meanwhile ??= work();
      await meanwhile;
    });
  }

  /** An item with one occurrence due, and two to be made ahead. */
  async function start() {
    const processor = await setup();
    await processor.addScheduler({ ...hourly, input: 'old', id: 'tick' });
    return { processor, due: await makeDue('tick') };
  }

  /** Only the one that is due may have a job, and it has one if and only if the item moved past it. */
  async function expectOnlyDue(due: Date): Promise<void> {
    const item = await items().findOne({ _id: 'tick' });
    const all = await jobs().find().toArray();
    expect(all.map(({ occurrence }) => occurrence?.at)).toEqual(item?.lastCallTime ? [due] : []);
    expect(item?.occurrences).toBe(all.length);
  }

  test('deactivating wins or loses as a whole', async () => {
    const { processor, due } = await start();
    await tickWhile(() => processor.deactivateScheduler('tick'));
    await expectOnlyDue(due);
    expect(await processor.getScheduler('tick')).toMatchObject({ active: false, nextCallTime: null });
    expect(await processor.scheduleDueItems({ ahead: '1d' })).toEqual([]);
  });

  test('removing wins or loses as a whole', async () => {
    const { processor, due } = await start();
    await tickWhile(() => processor.removeScheduler('tick'));
    expect(await processor.getSchedulers()).toEqual([]);
    for (const { occurrence } of await processor.getJobs()) expect(occurrence?.at).toEqual(due);
  });

  test('updating leaves no job of the old kind that is not due', async () => {
    const { processor, due } = await start();
    await tickWhile(() => processor.updateScheduler('tick', { input: 'new' }));
    await processor.scheduleDueItems({ ahead: '150m' });
    const made = await processor.getJobs();
    expect(occurrencesOf(made)).toEqual([0, 1, 2].map((n) => new Date(due.getTime() + n * 3_600_000)));
    for (const { occurrence, input } of made)
      if (Number(occurrence?.at) > due.getTime()) expect(input).toBe('new');
    expect(await processor.getScheduler('tick')).toMatchObject({ occurrences: 3, version: 2 });
  });
});
