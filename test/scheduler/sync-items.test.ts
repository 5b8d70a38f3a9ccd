import { type CommandSucceededEvent, MongoClient } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { LocalProcessor } from '../../local/processor.js';
import { type DeclaredScheduler, ValidationError } from '../../src/index.js';
import { silent } from '../database.js';
import { anything } from '../jobs.js';
import { useSchedulerDatabase } from './setting.js';

const database = useSchedulerDatabase({ monitorCommands: true });
const { setup, items } = database;

const declared = (id: string, more: object = {}): DeclaredScheduler => ({
  ...{ type: 'Delay', delay: '1h', jobName: 'anything', active: true, id },
  ...more,
});
const nothing = { added: [], changed: [], deactivated: [], conflicting: [] };

describe('items that are declared', () => {
  test('are added, changed, and deactivated when they are declared no more; nothing is done twice', async () => {
    const processor = await setup();
    const first = [declared('a'), declared('b'), declared('c', { active: false })];
    expect(await processor.syncSchedulers(first)).toEqual({ ...nothing, added: ['a', 'b', 'c'] });
    expect(await processor.syncSchedulers(first)).toEqual(nothing);
    const active = async () =>
      (await processor.getSchedulers()).filter((item) => item.active).map(({ id }) => id);
    expect(await active()).toEqual(['a', 'b']);

    const second = [declared('b', { input: 2 }), declared('c', { active: true })];
    expect(await processor.syncSchedulers(second)).toEqual({
      ...nothing,
      changed: ['b', 'c'],
      deactivated: ['a'],
    });
    expect(await processor.syncSchedulers(second)).toEqual(nothing);
    expect(await active()).toEqual(['b', 'c']);
    expect(await processor.getScheduler('b')).toMatchObject({ input: 2 });
  });

  test('keep their rhythm and their counts when something else changes', async () => {
    const processor = await setup();
    await processor.syncSchedulers([declared('a')]);
    await database.makeDue('a');
    await processor.scheduleDueItems();
    const before = await processor.getScheduler('a');
    await processor.syncSchedulers([declared('a', { title: 'New' })]);
    expect(await processor.getScheduler('a')).toEqual({
      ...before,
      title: 'New',
      version: 2,
      declared: { by: 'root', hash: expect.not.stringMatching(String(before?.declared?.hash)) },
    });
  });

  test('take a new time from now on', async () => {
    const processor = await setup();
    await processor.syncSchedulers([declared('a')]);
    const before = await processor.getScheduler('a');
    await processor.syncSchedulers([declared('a', { delay: '3h' })]);
    const after = await processor.getScheduler('a');
    expect(Number(after?.nextCallTime) - Number(before?.nextCallTime)).toBeGreaterThan(7_000_000);
  });

  test('are as a person switched or changed them until the declaration changes', async () => {
    const processor = await setup();
    await processor.syncSchedulers([declared('off'), declared('on', { active: false }), declared('other')]);
    await processor.deactivateScheduler('off');
    await processor.activateScheduler('on');
    await processor.updateScheduler('other', { input: 'by hand' });
    const same = [declared('off'), declared('on', { active: false }), declared('other')];
    expect(await processor.syncSchedulers(same)).toEqual(nothing);
    expect(await processor.getSchedulers()).toMatchObject([
      { id: 'off', active: false },
      { id: 'on', active: true },
      { id: 'other', input: 'by hand' },
    ]);
    const changed = same.map((item) => ({ ...item, title: 'New' }));
    expect(await processor.syncSchedulers(changed)).toMatchObject({ changed: ['off', 'on', 'other'] });
    expect(await processor.getSchedulers()).toMatchObject([
      { active: true },
      { active: false },
      { active: true },
    ]);
    expect(await processor.getScheduler('other')).not.toHaveProperty('input');
  });

  test('come back when they are declared again, also one that a person had started meanwhile', async () => {
    const processor = await setup();
    await processor.syncSchedulers([declared('a'), declared('b')]);
    expect(await processor.syncSchedulers([])).toMatchObject({ deactivated: ['a', 'b'] });
    await processor.activateScheduler('b');
    expect(await processor.syncSchedulers([])).toEqual(nothing);
    expect(await processor.getScheduler('b')).toMatchObject({ active: true });
    expect(await processor.syncSchedulers([declared('a'), declared('b')])).toMatchObject({
      changed: ['a', 'b'],
    });
    expect(await processor.getSchedulers()).toMatchObject([{ active: true }, { active: true }]);
  });

  test('are added again when a person removed them', async () => {
    const processor = await setup();
    await processor.syncSchedulers([declared('a')]);
    await processor.removeScheduler('a');
    expect(await processor.syncSchedulers([declared('a')])).toEqual({ ...nothing, added: ['a'] });
  });

  test('may have ended long ago', async () => {
    const processor = await setup();
    const ended = [
      declared('until', { endAt: '2020-01-01T00:00:00Z' }),
      {
        type: 'At',
        at: '2020-01-01T00:00:00Z',
        jobName: 'anything',
        catchUp: 'none',
        active: true,
        id: 'once',
      },
    ] as const;
    expect(await processor.syncSchedulers(ended)).toMatchObject({ added: ['until', 'once'] });
    expect(await processor.scheduleDueItems()).toEqual([]);
    expect(await processor.getSchedulers()).toMatchObject([{ active: false }, { active: false }]);
    expect(await processor.syncSchedulers(ended)).toEqual(nothing);
  });
});

describe('left as they are', () => {
  test('are items made by hand, also when one of that id is declared', async () => {
    const processor = await setup();
    await processor.addScheduler({
      type: 'Delay',
      delay: '1m',
      jobName: 'anything',
      active: true,
      id: 'by hand',
    });
    await processor.addScheduler({ type: 'Delay', delay: '1m', jobName: 'anything', active: true, id: 'a' });
    const before = await processor.getSchedulers();
    expect(await processor.syncSchedulers([declared('a')])).toEqual({ ...nothing, conflicting: ['a'] });
    expect(await processor.syncSchedulers([])).toEqual(nothing);
    expect(await processor.getSchedulers()).toEqual(before);
  });

  test('are items of a processor of another name, until it declares them no more', async () => {
    const one = await setup({ name: 'one' });
    const other = await setup({ name: 'other' });
    expect(await one.syncSchedulers([declared('a'), declared('b')])).toMatchObject({ added: ['a', 'b'] });
    expect(await other.syncSchedulers([declared('c')])).toEqual({ ...nothing, added: ['c'] });
    expect(await other.syncSchedulers([declared('b'), declared('c')])).toEqual({
      ...nothing,
      conflicting: ['b'],
    });
    expect(await one.syncSchedulers([declared('a'), declared('b')])).toEqual(nothing);
    expect(await one.syncSchedulers([declared('a')])).toEqual({ ...nothing, deactivated: ['b'] });
    expect(await other.syncSchedulers([declared('b'), declared('c')])).toEqual({
      ...nothing,
      changed: ['b'],
    });
    expect(await one.syncSchedulers([declared('a')])).toEqual(nothing);
    expect(await one.getScheduler('b')).toMatchObject({ active: true, declared: { by: 'other' } });
  });
});

test.each([
  ['the default name, which another program may have as well, warns', undefined, [{ items: ['a'] }]],
  ['a name of its own does not warn', 'mine', []],
])('a processor of %s when it deactivates items', async (_, name, expected) => {
  const warnings: unknown[] = [];
  const log = { ...silent, warn: (__: string, fields: unknown) => warnings.push(fields) };
  const processor = await setup({ log, ...(name && { name }) });
  await processor.syncSchedulers([declared('a'), declared('b')]);
  await processor.syncSchedulers([declared('b')]);
  expect(warnings).toEqual(expected);
});

test('a declaration is the same in whatever order its fields are written', async () => {
  const processor = await setup();
  await processor.syncSchedulers([declared('a', { input: { a: 1, b: { c: [{ d: 1, e: 2 }], f: 3 } } })]);
  const reordered = (input: object): DeclaredScheduler => {
    return { input, jobName: 'anything', active: true, id: 'a', delay: '1h', type: 'Delay' };
  };
  const input = { b: { f: 3, c: [{ e: 2, d: 1 }] }, a: 1 };
  expect(await processor.syncSchedulers([reordered(input)])).toEqual(nothing);
  const otherList = { a: 1, b: { c: [{ d: 2, e: 1 }], f: 3 } };
  expect(await processor.syncSchedulers([reordered(otherList)])).toMatchObject({
    changed: ['a'],
  });
});

describe('declarations that are wrong change nothing:', () => {
  test.each([
    ['no id', { id: undefined }, '1.id'],
    ['an unknown catch-up', { catchUp: 'twice' }, 'catchUp'],
    ['an end before the first', { endAt: '1960-01-01T00:00:00Z' }, 'endAt'],
    ['an input that the job refuses', { jobName: 'echo', input: 1 }, 'input'],
    ['an unknown option', { every: '1h' }, 'every'],
  ])('%s', async (_, wrong, path) => {
    const processor = await setup();
    await processor.syncSchedulers([declared('a')]);
    const before = await processor.getSchedulers();
    const sync = processor.syncSchedulers([declared('b'), declared('a', wrong)]);
    await expect(sync).rejects.toThrow(ValidationError);
    await expect(sync).rejects.toMatchObject({ issues: [{ path }] });
    expect(await processor.getSchedulers()).toEqual(before);
  });

  test('an unknown job', async () => {
    const processor = await setup();
    const sync = processor.syncSchedulers([declared('a'), declared('b', { jobName: 'nothing' })]);
    await expect(sync).rejects.toThrow(
      "Declared scheduler item 'b' is invalid: jobName: No job factory is named",
    );
    await expect(sync).rejects.toMatchObject({ issues: [{ path: 'jobName' }] });
    expect(await items().countDocuments()).toBe(0);
  });

  test('the same id twice', async () => {
    const processor = await setup();
    await expect(processor.syncSchedulers([declared('a'), declared('a')])).rejects.toThrow(ValidationError);
    expect(await items().countDocuments()).toBe(0);
  });
});

describe('several processes at once', () => {
  /** Four processors of one name, each with a connection of its own. */
  async function withFour<Result>(work: (processors: LocalProcessor[]) => Promise<Result>): Promise<Result> {
    const clients = Array.from({ length: 4 }, () => new MongoClient(database.uri));
    const processors = clients.map(
      (client) => new LocalProcessor({ db: client.db(database.name), log: silent }),
    );
    for (const processor of processors) await processor.addJobFactory(anything);
    try {
      return await work(processors);
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  }

  test('do each thing once', async () => {
    const ids = Array.from({ length: 6 }, (_, n) => `item ${n}`);
    await withFour(async (processors) => {
      const sync = async (schedulers: DeclaredScheduler[]) => {
        const syncs = await Promise.all(processors.map((processor) => processor.syncSchedulers(schedulers)));
        return {
          added: syncs.flatMap(({ added }) => added).sort(),
          changed: syncs.flatMap(({ changed }) => changed).sort(),
          deactivated: syncs.flatMap(({ deactivated }) => deactivated).sort(),
          conflicting: syncs.flatMap(({ conflicting }) => conflicting),
        };
      };
      expect(await sync(ids.map((id) => declared(id)))).toEqual({ ...nothing, added: ids });
      expect(await sync(ids.map((id) => declared(id, { input: 1 })))).toEqual({ ...nothing, changed: ids });
      expect(await sync([])).toEqual({ ...nothing, deactivated: ids });
    });
    const all = await items().find().toArray();
    expect(all.map(({ version }) => version)).toEqual(ids.map(() => 3));
  });

  test('one that a person removes meanwhile is there in the end, as declared', async () => {
    const processor = await setup();
    await processor.syncSchedulers([declared('a')]);
    // It is found, and gone by the time it is to be changed.
    let removed: Promise<unknown> | undefined;
    const remove = ({ commandName }: CommandSucceededEvent) => {
      if (commandName === 'insert') removed ??= items().deleteOne({ _id: 'a' });
    };
    database.client.on('commandSucceeded', remove);
    await processor.syncSchedulers([declared('a', { input: 1 })]);
    database.client.off('commandSucceeded', remove);
    expect(await removed).toMatchObject({ deletedCount: 1 });
    await processor.syncSchedulers([declared('a', { input: 1 })]);
    expect(await processor.getScheduler('a')).toMatchObject({ input: 1, active: true });
  });
});
