/** Statistics that cannot be written are nobody's concern but the log's. */
import { expect, test } from 'vitest';
import type { Logger } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';
import { echo } from '../jobs.js';
import { useUnreliableNetwork } from '../unreliable-network.js';

const database = useDatabase();
const connect = useUnreliableNetwork(database);

test.each(['cut', 'silence'] as const)('a drain ends well when its counts meet a %s', async (passage) => {
  const warnings: string[] = [];
  const log: Logger = { ...silent, warn: (message) => warnings.push(message) };
  const { processor, proxy } = await connect({ log });
  await processor.addJobFactory(echo);
  await processor.addJob('echo', {});
  proxy.judgeBy((command) => (command.findAndModify === collectionNames.statistics ? passage : 'deliver'));
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect(warnings).toContain('The counts of attempts could not be written');
  proxy.judgeBy(undefined);

  await processor.addJob('echo', {});
  await processor.drain();
  const points = await database.processor().statistics.get();
  expect(points.reduce((sum, { completed }) => sum + completed, 0)).toBe(1);
});

test('an attempt whose outcome could not be written is not counted: it will be recovered', async () => {
  const { processor, proxy } = await connect({ lease: '1s' });
  await processor.addJobFactory(echo);
  const id = await processor.addJob('echo', {});
  const isSettling = ({ findAndModify, query }: Record<string, unknown>) =>
    findAndModify === collectionNames.jobs && JSON.stringify(query).includes('lease.token');
  proxy.judgeBy((command) => (isSettling(command) ? 'cut' : 'deliver'));
  expect(await processor.drain()).toMatchObject({ unsettled: 1 });
  proxy.judgeBy(undefined);
  await database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: id }, { $set: { 'lease.expires': new Date(0) } });
  await processor.drain();
  const points = await processor.statistics.get();
  const sum = (name: 'completed' | 'recovered') => points.reduce((total, point) => total + point[name], 0);
  expect([sum('recovered'), sum('completed')]).toEqual([1, 1]);
});
