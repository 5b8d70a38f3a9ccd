import { expect, test } from 'vitest';
import { useDatabase } from '../database.js';

const database = useDatabase();
const DAY_MS = 24 * 60 * 60 * 1000;

test('moments are marked, listed page by page with the latest first, and kept for 90 days', async () => {
  const { marks } = database.processor();
  const now = await marks.add({ text: ' v42 ' });
  const before = await marks.add({ text: 'v41', at: new Date(Date.now() - DAY_MS), by: 'ann' });
  const twice = [
    await marks.add({ text: 'a', at: before.at }),
    await marks.add({ text: 'b', at: before.at }),
  ];

  expect(now).toEqual({ id: expect.any(String), at: expect.any(Date), text: 'v42' });
  expect(before).toMatchObject({ text: 'v41', by: 'ann' });
  expect((await marks.list()).marks).toContainEqual(before);
  const listed: string[] = [];
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await marks.list({ limit: 1, cursor });
    expect(page.marks).toHaveLength(1);
    listed.push(...page.marks.map(({ id }) => id));
    cursor = page.cursor;
  }
  expect(listed).toEqual([now, ...[before, ...twice].reverse()].map(({ id }) => id));
  const stored = await database.collections().marks.find({}).toArray();
  for (const { at, expireAt } of stored) expect(expireAt.getTime() - at.getTime()).toBe(90 * DAY_MS);
});

test.each([
  [{ text: '' }, 'text'],
  [{ text: '  ' }, 'text'],
  [{ text: 'x'.repeat(101) }, 'text'],
  [{ text: 'a\0b' }, 'text'],
  [{ text: 'v42', by: '' }, 'by'],
  [{ text: 'v42', by: 'x'.repeat(501) }, 'by'],
  [{ text: 'v42', at: 'yesterday' }, 'at'],
  [{ text: 'v42', at: new Date(Date.now() + DAY_MS) }, 'at'],
  [{ text: 'v42', at: new Date(Date.now() - 91 * DAY_MS) }, 'at'],
])('%o is refused, and nothing is marked', async (options, path) => {
  const { marks } = database.processor();
  await expect(marks.add(options)).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path }] });
  expect(await marks.list()).toEqual({ marks: [], cursor: undefined });
});
