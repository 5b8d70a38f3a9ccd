import { expect, test } from 'vitest';
import { occurrencesOf, useSchedulerDatabase } from '../setting.js';
import { runUntilDead, type Work } from './dead.js';
import { declaredBefore, declaredLater } from './declared.js';

const database = useSchedulerDatabase();
const { setup, makeDue, items, jobs } = database;

type Processor = Awaited<ReturnType<typeof setup>>;

/**
 * Somebody does `work` and is dead to the database when the answer to its first statement has come, another at the second,
 * and so on, until one comes to its end. Each begins with what `prepare` leaves, and is followed by `check`.
 *
 * @returns how many were killed
 */
async function killEverywhere(
  work: Work,
  prepare: (processor: Processor) => Promise<unknown>,
  check: (processor: Processor) => Promise<unknown>,
): Promise<number> {
  const processor = await setup({ lease: '1d' });
  for (let survives = 0; ; survives += 1) {
    await items().deleteMany({});
    await jobs().deleteMany({});
    await prepare(processor);
    const wasKilled = await runUntilDead(database, work, survives);
    await check(processor);
    if (!wasKilled) return survives;
  }
}

const hourly = { type: 'Delay', delay: '1h', jobName: 'anything', active: true } as const;

/** Jobs and item agree: the item has moved past what has a job, and past nothing else. */
async function expectWhole(id: string): Promise<void> {
  const item = await items().findOne({ _id: id });
  const made = await jobs().find({ 'occurrence.item': id }).sort({ 'occurrence.at': 1 }).toArray();
  expect(made.at(-1)?.occurrence?.at ?? null).toEqual(item?.lastCallTime ?? null);
  expect(made).toHaveLength(item?.occurrences ?? 0);
}

test('a scheduler that is killed anywhere leaves an occurrence with its job or without, and the next makes it once', async () => {
  let due = new Date(Number.NaN);
  const at = () => [0, 1, 2, 3].map((n) => new Date(due.getTime() + n * 3_600_000));
  const prepare = async (processor: Processor) => {
    await processor.addScheduler({ ...hourly, catchUp: 'all', id: 'tick' });
    await processor.addScheduler({ ...hourly, overlap: 'skip', id: 'exclusive' });
    await makeDue('exclusive');
    await processor.scheduleDueItems();
    await makeDue('exclusive', 10);
    due = await makeDue('tick', 2.5 * 3600);
  };
  const killed = await killEverywhere('tick', prepare, async (processor) => {
    await expectWhole('tick');
    const before = await processor.getJobs();
    await processor.scheduleDueItems({ ahead: '80m' });
    await expectWhole('tick');
    const made = await processor.getJobs();
    expect(made).toEqual(expect.arrayContaining(before));
    const ticked = made.filter(({ occurrence }) => occurrence?.item === 'tick');
    expect(occurrencesOf(ticked)).toEqual(at());
    expect(await processor.getScheduler('exclusive')).toMatchObject({ occurrences: 1, skipped: 1 });

    await processor.processJobs();
    await processor.removeJobs();
    expect(await processor.scheduleDueItems({ ahead: '80m' })).toEqual([]);
    expect(await processor.getJobs()).toHaveLength(1);
  });
  // Recovery, is any due, find, find busy, defaults, advance, insert, commit, and is any due.
  expect(killed).toBeGreaterThanOrEqual(9);
});

test.each([
  ['update', { active: true, occurrences: 1, input: 'new' }, 1],
  ['remove', undefined, 1],
] as const)(
  'a process that is killed anywhere while it does %s changed the item and its jobs, or nothing',
  async (work, changed, jobsLeft) => {
    const prepare = async (processor: Processor) => {
      await processor.addScheduler({ ...hourly, id: 'tick', input: 'old' });
      await makeDue('tick');
      await processor.scheduleDueItems({ ahead: '150m' });
    };
    const outcomes = new Set<string>();
    const killed = await killEverywhere(work, prepare, async (processor) => {
      const item = await processor.getScheduler('tick');
      const count = await jobs().countDocuments();
      if (item?.occurrences === 3) {
        expect(item).toMatchObject({ active: true, input: 'old', version: 1 });
        expect(count).toBe(3);
        outcomes.add('nothing');
      } else {
        if (changed === undefined) expect(item).toBeUndefined();
        else expect(item).toMatchObject(changed);
        expect(count).toBe(jobsLeft);
        outcomes.add('changed');
      }
      if (item) await expectWhole('tick');
    });
    expect(outcomes).toEqual(new Set(['nothing', 'changed']));
    expect(killed).toBeGreaterThanOrEqual(6);
  },
);

test('a process that is killed anywhere while it synchronises leaves each item as declared before or as now', async () => {
  const killed = await killEverywhere(
    'sync',
    (processor) => processor.syncSchedulers(declaredBefore),
    async (processor) => {
      for (const { id, active, input } of await processor.getSchedulers())
        expect({ id, active, input }).toEqual(expect.toBeOneOf(statesOf(id)));
      await processor.syncSchedulers(declaredLater);
      expect(await processor.getSchedulers()).toMatchObject([
        { id: 'added', active: true },
        { id: 'changed', active: true, input: 'new' },
        { id: 'given up', active: false },
        { id: 'kept', active: true },
      ]);
    },
  );
  expect(killed).toBeGreaterThanOrEqual(12);
});

function statesOf(id: string) {
  const before = declaredBefore.filter((item) => item.id === id);
  const later = declaredLater.filter((item) => item.id === id);
  return [
    ...[...before, ...later].map(({ active, input }) => ({ id, active, input })),
    { id, active: false, input: undefined },
  ];
}
