/** What becomes of progress and log lines when the requests that carry them, or the replies, are lost on the way. */
import type { Document } from 'mongodb';
import { expect, test } from 'vitest';
import { isHeartbeat } from '../chaos/commands.js';
import type { Passage } from '../chaos/tcp-proxy.js';
import { useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { Gate } from '../jobs.js';
import { useUnreliableNetwork } from '../unreliable-network.js';
import { reportsIn, telling } from './told.js';

const database = useDatabase();
const connect = useUnreliableNetwork(database);

/** A driver tries a request again, once, when it may. */
const TRIES = 2;

/** Whether it carries what jobs tell while they run. */
const isReport = (command: Document) =>
  reportsIn(command) > 0 && !JSON.stringify(command).includes('lastToken');

test.each<Passage>(['cut', 'lose reply', 'late'])(
  'a report that meets "%s" does not fail its job, and each line is stored once, in order',
  async (passage) => {
    const { processor, proxy } = await connect();
    const gate = new Gate();
    let reports = 0;
    proxy.judgeBy((command) => (isReport(command) && reports++ < TRIES ? passage : 'deliver'));
    const job = telling(async ({ log, progress, signal }) => {
      log('one');
      await progress(1);
      log('two');
      await progress(2);
      await gate.pass(signal);
      log('three');
    });
    await processor.addJobFactory(job);
    const id = await processor.addJob(job);
    const draining = processor.drain();
    await eventually(() => expect(reports).toBeGreaterThan(0));
    await eventually(() => expect(gate.arrived).toBe(1));
    gate.open();
    expect(await draining).toMatchObject({ completed: 1 });
    const { lines } = await processor.jobs.log(id);
    expect(lines.map(({ message }) => message)).toEqual(['one', 'two', 'three']);
    expect((await processor.getJob(id))?.progress).toBe(2);
  },
);

test.each<Passage>(['cut', 'lose reply', 'silence'])(
  'a heartbeat that carries a report and meets "%s" is followed by one that carries nothing, and renews',
  async (passage) => {
    const { processor, proxy } = await connect({ lease: '6s' });
    const gate = new Gate();
    let lost = 0;
    let alone = 0;
    proxy.judgeBy((command) => {
      if (!isHeartbeat(command)) return 'deliver';
      if (reportsIn(command) > 0 && lost++ === 0) return passage;
      if (lost > 0 && reportsIn(command) === 0) alone += 1;
      return 'deliver';
    });
    const job = telling(async ({ log, signal }) => {
      let lines = 0;
      const timer = setInterval(() => log(`${lines++}`), 100);
      await gate.pass(signal).finally(() => clearInterval(timer));
    });
    await processor.addJobFactory(job);
    const id = await processor.addJob(job);
    const draining = processor.drain();
    await eventually(() => expect(alone).toBeGreaterThan(0));
    gate.open();
    expect(await draining).toMatchObject({ completed: 1 });
    const { lines } = await processor.jobs.log(id);
    const [first] = lines;
    expect(lines.map(({ message }) => Number(message) - Number(first?.message))).toEqual([...lines.keys()]);
  },
);

/** What waited for the answer, or for the end of the lease, would not end before the test has to. */
test('a database that answers no report does not hold up a job, nor the end of the invocation', async () => {
  const { processor, proxy } = await connect({ lease: '1h' });
  proxy.judgeBy((command) => (isReport(command) ? 'silence' : 'deliver'));
  const job = telling(async ({ log, progress }) => {
    log('one');
    for (let done = 0; done <= 10; done += 1) await progress(done, 10);
  });
  await processor.addJobFactory(job);
  const id = await processor.addJob(job);
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect((await processor.getJob(id))?.progress).toEqual({ done: 10, of: 10 });
  expect((await processor.jobs.log(id)).lines).toHaveLength(1);
});
