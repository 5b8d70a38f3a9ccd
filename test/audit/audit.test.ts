import { expect, test } from 'vitest';
import { useDatabase } from '../database.js';

const database = useDatabase();

test('what people did is listed newest first, in pages, by target, by person and by both', async () => {
  const { audit } = database.processor();
  const record = (who: string, ...targets: string[]) => audit.record({ who, action: 'retryJob', targets });
  await record('ann', 'job:1', 'job:2');
  await record('bob', 'job:1');
  await record('ann', 'job:2');
  await record('ann', 'limit:import=a:b');

  const found = async (filter: Parameters<typeof audit.list>[0]) =>
    (await audit.list(filter)).entries.map(({ who, targets }) => `${who} ${targets.join()}`);
  expect(await found({})).toEqual(['ann limit:import=a:b', 'ann job:2', 'bob job:1', 'ann job:1,job:2']);
  expect(await found({ target: 'job:1' })).toEqual(['bob job:1', 'ann job:1,job:2']);
  expect(await found({ target: 'limit:import=a:b' })).toEqual(['ann limit:import=a:b']);
  expect(await found({ who: 'bob' })).toEqual(['bob job:1']);
  expect(await found({ target: 'job:1', who: 'ann' })).toEqual(['ann job:1,job:2']);
  expect(await found({ who: 'nobody' })).toEqual([]);

  const pages: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await audit.list({ target: 'job:2', limit: 1, cursor });
    pages.push(...page.entries.map(({ targets }) => targets.join()));
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(pages).toEqual(['job:2', 'job:1,job:2']);
});

test('an entry tells everything that was given, by the clock of the database, for 90 days', async () => {
  const { audit } = database.processor();
  const entry = {
    who: '$who',
    role: 'admin',
    via: 'desk',
    address: '203.0.113.7',
    action: 'setLimit',
    targets: Array.from({ length: 120 }, (_, n) => `limit:$a.${n}`),
    changes: [{ field: 'max', before: '$3', after: 'x'.repeat(500) }],
    outcome: 'refused',
    problem: 'conflict',
  } as const;

  await audit.record(entry);

  const { entries } = await audit.list();
  expect(entries).toEqual([
    {
      ...entry,
      id: expect.any(String),
      at: expect.any(Date),
      targets: entry.targets.slice(0, 100),
      count: 120,
      changes: [{ field: 'max', before: '$3', after: `${'x'.repeat(199)}…` }],
    },
  ]);
  const [stored] = await database.collections().audit.find().toArray();
  expect(Number(stored?.expireAt) - Number(stored?.at)).toBe(90 * 86_400_000);
});

test.each([
  [{ who: '', action: 'a' }, 'who'],
  [{ who: 'a\0', action: 'a' }, 'who'],
  [{ who: 'ann', action: 'a', targets: ['7'] }, 'targets.0'],
  [{ who: 'ann', action: 'a', outcome: 'lost' }, 'outcome'],
  [{ who: 'ann', action: 'a', at: new Date() }, 'at'],
])('%j is no entry, and is not recorded', async (entry, path) => {
  const { audit } = database.processor();
  // @ts-expect-error for most of them
  await expect(audit.record(entry)).rejects.toMatchObject({ name: 'ValidationError', issues: [{ path }] });
  expect((await audit.list()).entries).toEqual([]);
});

test('a cursor that no page returned, and a target that is none, are refused', async () => {
  const { audit } = database.processor();
  await expect(audit.list({ cursor: 'x' })).rejects.toMatchObject({ issues: [{ path: 'cursor' }] });
  await expect(audit.list({ target: 'x' })).rejects.toMatchObject({ issues: [{ path: 'target' }] });
});
