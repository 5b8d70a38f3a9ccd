import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type LogFields, type Logger } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';

const database = useDatabase({ monitorCommands: true });
const stored = () => database.db.collection<{ _id: string; version?: number }>(collectionNames.jobFactories);

/** A definition whose schema tells which one it is. */
function pay(version: number, variant: string | number = version) {
  const input = z.strictObject({ [`field${variant}`]: z.string() });
  return defineJob({ name: 'pay', version, input, run: async () => null });
}

/** What another processor knows of it. */
async function known() {
  const { pay: info } = await database.processor().getJobFactories();
  return { version: info?.version, fields: Object.keys(JSON.parse(info?.inputSchema ?? '{}').properties) };
}

function recorder() {
  const events: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const at = (level: string) => (message: string, fields?: LogFields) =>
    void events.push({ level, message, fields });
  const log: Logger = { ...silent, debug: at('debug'), warn: at('warn') };
  return { events, log };
}

test('a higher version replaces a lower one; a lower one leaves it, and says so', async () => {
  const { events, log } = recorder();
  await database.processor().addJobFactory(pay(1));
  await database.processor({ log }).addJobFactory(pay(2));
  expect(await known()).toEqual({ version: 2, fields: ['field2'] });
  expect(events).toEqual([]);

  await database.processor({ log }).addJobFactory(pay(1));
  expect(await known()).toEqual({ version: 2, fields: ['field2'] });
  expect(events).toMatchObject([
    { level: 'debug', fields: { jobName: 'pay', version: 1, storedVersion: 2 } },
  ]);
});

test('of two that differ and have the same version the last is stored, and both hashes are logged', async () => {
  const { events, log } = recorder();
  await database.processor({ log }).addJobFactory(pay(1, 'A'));
  const [first] = await stored().find().toArray();
  await database.processor({ log }).addJobFactory(pay(1, 'A'));
  expect(events).toEqual([]);

  await database.processor({ log }).addJobFactory(pay(1, 'B'));
  const [second] = await stored().find().toArray();
  expect(await known()).toEqual({ version: 1, fields: ['fieldB'] });
  const hashes = { storedHash: Reflect.get(first ?? {}, 'hash'), hash: Reflect.get(second ?? {}, 'hash') };
  expect(hashes.hash).not.toBe(hashes.storedHash);
  expect(events).toMatchObject([{ level: 'warn', fields: { jobName: 'pay', version: 1, ...hashes } }]);
});

test('processors that register at the same time never leave a lower version than the highest', async () => {
  const versions = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(versions, fc.boolean(), async (all, isThere) => {
      await stored().deleteMany({});
      if (isThere) await database.processor().addJobFactory(pay(3));
      await Promise.all(all.map((version) => database.processor().addJobFactory(pay(version))));
      const highest = Math.max(...all, isThere ? 3 : 0);
      expect(await known()).toEqual({ version: highest, fields: [`field${highest}`] });
    }),
    { numRuns: 12 },
  );
});

test('a document of an earlier version of this package, which has no version, is replaced', async () => {
  const { events, log } = recorder();
  await database.processor().addJobFactory(pay(1, 'old'));
  await stored().updateMany({}, { $unset: { version: '', addRole: '' }, $set: { hash: 'of then' } });
  await database.processor({ log }).addJobFactory(pay(1));
  expect(await known()).toEqual({ version: 1, fields: ['field1'] });
  expect(events).toEqual([]);
});

test('registering again costs one command, and writes nothing', async () => {
  await database.processor().addJobFactory(pay(1));
  const commands = await database.commandsDuring(() => database.processor().addJobFactory(pay(1)));
  expect(commands.map(({ commandName }) => commandName)).toEqual(['find']);
});

test.each(['0', '-1', '1.5', 'null', '"2"', '1e18'])('a version of %s is refused', (version) => {
  const given = JSON.parse(`{ "version": ${version} }`);
  expect(() => defineJob({ name: 'pay', run: async () => null, ...given })).toThrow('version');
});
