import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { program } from '../programs.js';

const database = useDatabase();

/** Runs the script with these variables. */
async function ensureIndexes(env: Record<string, string>): Promise<{ code: number; output: string }> {
  const command = [await program('handlers/ensure-indexes.ts')];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      command,
      { env: { PATH: process.env.PATH, ...env } },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, output: out + err }),
    );
  });
}

test('it makes the indexes that are missing, and says which', async () => {
  const env = { MONGODB_URI: database.uri, MONGODB_DATABASE: `${database.name}-indexes` };
  const db = database.client.db(env.MONGODB_DATABASE);

  const first = await ensureIndexes(env);
  const second = await ensureIndexes(env);
  await ensureIndexes({ ...env, INDEX_BY_QUEUE: 'true' });
  const dropped = await ensureIndexes({ ...env, INDEX_BY_QUEUE: 'false' });

  const names = (await db.collection(collectionNames.jobs).indexes()).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['claimable', 'leaseExpiry', 'uniqueKey']));
  expect(first).toMatchObject({
    code: 0,
    output: expect.stringContaining(`  ${collectionNames.jobs}.claimable\n`),
  });
  expect(second).toMatchObject({ code: 0, output: expect.stringContaining('made 0 indexes\n') });
  expect(dropped).toMatchObject({
    code: 0,
    output: expect.stringContaining(`made 0 indexes, dropped 1\n  dropped ${collectionNames.jobs}.byQueue\n`),
  });
  await db.dropDatabase();
});

test('without a database it says what is missing, and fails', async () => {
  const { code, output } = await ensureIndexes({});

  expect(code).toBe(1);
  expect(output).toBe(
    'The indexes were not made. The environment is invalid: MONGODB_URI: is missing: expected a MongoDB connection string\n',
  );
});

test('with a database that cannot be reached it says so, and fails', async () => {
  const { code, output } = await ensureIndexes({
    MONGODB_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200',
  });

  expect(code).toBe(1);
  expect(output).toMatch(
    /The indexes were not made\. (connect ECONNREFUSED 127\.0\.0\.1:1|Server selection timed out)/,
  );
});
