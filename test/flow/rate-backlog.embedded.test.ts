/** A worker starts as many jobs as a rate limit allows, also while it meets the jobs of a backlog for the first time. */
import { MongoClient } from 'mongodb';
import { expect, onTestFinished, test } from 'vitest';
import { startEmbeddedMongo } from '../../local/mongo/index.js';
import { defineJob, RemoteProcessor } from '../../src/index.js';
import { silent } from '../database.js';

/** How far each command moves the clock, and each statement in it, so that the test depends on no other clock. */
const [PER_COMMAND_MS, PER_STATEMENT_MS] = [5, 1.5];

const [JOBS, LIMIT, BURST, SECONDS] = [400, 20, 5, 3];

/** Returns a database whose clock only commands move, and a function that returns a signal for its end. */
async function databaseOfCommands() {
  let now = Date.now();
  let end = Number.POSITIVE_INFINITY;
  const stop = new AbortController();
  const mongo = await startEmbeddedMongo({ clock: () => now });
  const client = await new MongoClient(mongo.uri, { monitorCommands: true }).connect();
  client.on('commandStarted', ({ command }) => {
    now += PER_COMMAND_MS + PER_STATEMENT_MS * (command.updates?.length ?? 0);
    if (now >= end) stop.abort();
  });
  onTestFinished(async () => {
    await client.close();
    await mongo.stop();
  });
  const begin = () => {
    end = now + SECONDS * 1000;
    return stop.signal;
  };
  return { db: client.db('backlog'), begin };
}

test('a backlog starts at its rate from the beginning', async () => {
  const { db, begin } = await databaseOfCommands();
  let started = 0;
  const call = defineJob({
    name: 'call',
    rateLimit: { limit: LIMIT, period: '1s', burst: BURST },
    run: () => {
      started += 1;
    },
  });
  const processor = new RemoteProcessor({ db, jobs: { call }, maxThreads: 4, log: silent });
  await processor.ensureIndexes();
  await processor.addJobs(Array.from({ length: JOBS }, () => ({ job: call })));
  const signal = begin();
  while (!signal.aborted) await processor.drain({ signal });
  const ideal = LIMIT * SECONDS + BURST;
  expect(started).toBeGreaterThan(0.9 * ideal);
  expect(started).toBeLessThanOrEqual(ideal + BURST);
});
