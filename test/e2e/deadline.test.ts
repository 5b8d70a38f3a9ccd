import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobs } from '../../handlers/jobs.js';
import { readConfig } from '../../src/config.js';
import { useDatabase } from '../database.js';
import { useReceiver } from '../handlers/jobs/receiver.js';
import { Offline } from './offline.js';

const JOBS = 20;
const JOB_MS = 4_000;

const database = useDatabase();
const receiver = useReceiver();

let offline: Offline;
beforeAll(async () => {
  const env = { MAX_THREADS: '4', WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true' };
  offline = await Offline.start(database, { params: { workerTimeout: '10' }, env });
});
afterAll(() => offline?.kill());

/** The first invocation is ours, each of the others the kick of the one before it. */
test('jobs of 4 s, many more than fit into the 10 s of an invocation, are run by as many as it takes', async () => {
  receiver().answer = (response) => void setTimeout(() => response.end(), JOB_MS);
  const producer = database.processor();
  await producer.addJobFactories(jobs(readConfig({})));
  for (let n = 0; n < JOBS; n += 1) await producer.addJob('webhook', { url: receiver().url, body: n });

  await invokeWorker();
  await offline.until('all jobs are settled', async () => {
    const unsettled = await database.db.collection('jobs').countDocuments({ status: { $ne: 'completed' } });
    return unsettled === 0;
  });

  const settled = await producer.getJobs();
  expect(settled).toHaveLength(JOBS);
  for (const { status, retryCounter, errors } of settled)
    expect({ status, retryCounter, errors }).toEqual({ status: 'completed', retryCounter: 1, errors: [] });
  expect(offline.output.match(/"Worker invocation ended"/g)?.length).toBeGreaterThanOrEqual(2);
  expect(offline.output).not.toContain('Lambda timeout');
});

async function invokeWorker(): Promise<void> {
  const name = 'remote-processor-local-worker';
  const url = `http://127.0.0.1:${offline.lambdaPort}/2015-03-31/functions/${name}/invocations`;
  const response = await fetch(url, { method: 'POST', headers: { 'x-amz-invocation-type': 'Event' } });
  expect(response.status).toBe(202);
}
