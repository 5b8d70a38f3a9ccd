/** What happens to running jobs when heartbeats, and nothing else, are lost on the way. */
import { expect, test } from 'vitest';
import { AttemptAbortedError, defineJob } from '../../src/index.js';
import { isHeartbeat } from '../chaos/commands.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { Gate, gatedJob } from '../jobs.js';
import { useUnreliableNetwork } from '../unreliable-network.js';

const database = useDatabase();
const connect = useUnreliableNetwork(database);

/** When the first lease ends. */
async function firstExpiry(): Promise<number> {
  const jobs = await database.processor().getJobs({ status: 'processing' });
  return Math.min(...jobs.map(({ lease }) => Number(lease?.expires)));
}

test('a heartbeat that is never answered does not keep the next one, by another connection, from renewing', async () => {
  // Two seconds are left to a busy machine between the second heartbeat and the end of the leases.
  const { processor, proxy } = await connect({ lease: '6s', maxThreads: 2 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  await Promise.all([1, 2].map((n) => processor.addJob('gated', n)));
  let heartbeats = 0;
  proxy.judgeBy((command) => (isHeartbeat(command) && heartbeats++ === 0 ? 'silence' : 'deliver'));
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(2));
  const taken = await firstExpiry();
  await eventually(async () => expect(await firstExpiry()).toBeGreaterThan(taken));
  gate.open();
  expect(await draining).toMatchObject({ completed: 2, givenBack: 0, stale: 0 });
  expect(heartbeats).toBeGreaterThan(1);
});

test('a heartbeat that is due while the event loop is blocked, and the one before it not answered, follows at once', async () => {
  const { processor, proxy } = await connect({ lease: '6s' });
  let heartbeats = 0;
  proxy.judgeBy((command) => (isHeartbeat(command) && heartbeats++ === 0 ? 'silence' : 'deliver'));
  const blocking = defineJob({
    name: 'blocking',
    run: async ({ signal }) => {
      await eventually(() => expect(heartbeats).toBe(1));
      // Beyond the moment at which it is given up, and the next is due: 2 s later.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_100);
      await eventually(() => expect(signal.aborted || heartbeats > 1).toBe(true));
      signal.throwIfAborted();
    },
  });
  await processor.addJobFactory(blocking);
  await processor.addJob('blocking');
  expect(await processor.drain()).toMatchObject({ completed: 1, givenBack: 0, stale: 0 });
});

test('leases that can be read but not renewed do not count as renewed: the job is told once they may be over', async () => {
  const { processor, proxy } = await connect({ lease: '1s' });
  const gate = new Gate();
  const told: string[] = [];
  const patient = defineJob({
    name: 'patient',
    run: ({ signal }) =>
      gate.pass(signal).catch((error: unknown) => {
        if (error instanceof AttemptAbortedError) told.push(error.why);
        proxy.judgeBy(undefined);
        throw error;
      }),
  });
  await processor.addJobFactory(patient);
  const id = await processor.addJob('patient');
  proxy.judgeBy((command) => (isHeartbeat(command) ? 'cut' : 'deliver'));
  const draining = processor.drain();
  await eventually(() => expect(told).toEqual(['lease lost']));
  gate.open();
  const { givenBack, stale } = await draining;
  // The lease is over, so on a busy machine recovery may come first.
  expect(givenBack + stale).toBe(1);
  await eventually(async () => {
    await processor.drain();
    expect(await processor.getJobStatus(id)).toBe('completed');
  });
  expect(await processor.getJob(id)).toMatchObject(
    givenBack === 1
      ? { retryCounter: 1, errors: [] }
      : { errors: [{ message: expect.stringContaining('lost its lease') }] },
  );
});
