import { describe, expect, test } from 'vitest';
import type { AddJobsOptions, JobsReady, RemoteProcessor } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { anything } from '../jobs.js';
import { useUnreliableNetwork } from '../unreliable-network.js';

const database = useDatabase();
const unreliableNetwork = useUnreliableNetwork(database);

type Add = (processor: RemoteProcessor, options?: AddJobsOptions) => Promise<unknown>;

describe.each<[string, Add]>([
  ['addJob', (processor, options) => processor.addJob('anything', 1, options)],
  ['addJobs', (processor, options) => processor.addJobs([{ name: 'anything', input: 1 }], options)],
])('%s, while connections break', (_, add) => {
  /** How often requests are lost before the first is answered; the driver itself sends one again. */
  const LOST = 8;

  async function setup() {
    const { proxy, processor } = await unreliableNetwork();
    await processor.addJobFactory(anything);
    let lost = 0;
    proxy.judgeBy((command) =>
      command.update === collectionNames.jobs && lost++ < LOST ? 'cut' : 'deliver',
    );
    return processor;
  }

  test('is tried again, and adds one job', async () => {
    await add(await setup());
    expect(await database.db.collection(collectionNames.jobs).countDocuments()).toBe(1);
  });

  test('asks for a worker once, though it is told that the job of its first try is there', async () => {
    const asked: JobsReady[] = [];
    const kick = async (ready: JobsReady) => void asked.push(ready);
    const { proxy, processor } = await unreliableNetwork({ kick });
    await processor.addJobFactory(anything);
    let lost = 0;
    proxy.judgeBy((command) =>
      command.update === collectionNames.jobs && lost++ < LOST ? 'lose reply' : 'deliver',
    );
    await add(processor);
    expect(lost).toBeGreaterThan(2);
    expect(asked).toEqual([{ jobs: 1, dueInMs: [] }]);
  });

  test('is not tried again without patience', async () => {
    const processor = await setup();
    await expect(add(processor, { patience: 0 })).rejects.toThrow();
    expect(await database.db.collection(collectionNames.jobs).countDocuments()).toBe(0);
  });
});

test('when one of several commands of addJobs fails, none is under way any more once that is told', async () => {
  const { proxy, db, processor } = await unreliableNetwork({}, { monitorCommands: true });
  await processor.addJobFactory(anything);
  const underWay = new Set<number>();
  db.client.on('commandStarted', ({ requestId }) => underWay.add(requestId));
  db.client.on('commandSucceeded', ({ requestId }) => underWay.delete(requestId));
  db.client.on('commandFailed', ({ requestId }) => underWay.delete(requestId));
  let first: string | undefined;
  proxy.judgeBy(({ insert, lsid, txnNumber }) => {
    if (insert !== collectionNames.jobs) return 'deliver';
    const command = JSON.stringify([lsid, txnNumber]);
    first ??= command;
    return command === first ? 'cut' : 'deliver';
  });
  const jobs = Array.from({ length: 9000 }, () => ({ name: 'anything', input: 1 }));
  await expect(processor.addJobs(jobs, { patience: 0 })).rejects.toThrow();
  expect([...underWay]).toEqual([]);
});
