import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { jobs } from '../../handlers/jobs.js';
import { readConfig } from '../../src/config.js';
import { collectionNames } from '../collection-names.js';
import { useDatabase } from '../database.js';
import { useReceiver } from '../handlers/jobs/receiver.js';
import { rawRequest } from '../raw-request.js';
import { Offline } from './offline.js';

const JOBS = 24;
const JOB_MS = 2_000;

/** In seconds. An invocation that is over ends serverless-offline: no wait for a CPU may make it so late. */
const WORKER_TIMEOUT = '200';

/** So it claims for 10 s. */
const DEADLINE_MARGIN = '190s';

const database = useDatabase();
const receiver = useReceiver();
const jobSchema = z.object({ id: z.string(), status: z.string(), output: z.unknown() });

let offline: Offline;
beforeAll(async () => {
  const env = { MAX_THREADS: '4', DEADLINE_MARGIN, WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true' };
  offline = await Offline.start(database, { params: { workerTimeout: WORKER_TIMEOUT }, env });
});
afterAll(() => offline?.kill());

/** No schedule is enabled: nothing but the kick, through the AWS SDK, can have started the worker. */
test('a job that is added over HTTP is run by the worker that the kick starts, in a subprocess too', async () => {
  expect(offline.output).toMatch(/Scheduling \[worker\] cron: disabled/);
  const echoed = await add('echo', { hello: 'world' });
  const summed = await add('checksum', { data: Buffer.from('hello').toString('base64'), rounds: 1000 });
  expect((await completed(echoed)).output).toEqual({ hello: 'world' });
  expect((await completed(summed)).output).toMatchObject({ bytes: 5, rounds: 1000 });
});

test('pages of other sites may not call it, nor anybody by another name; its own may', async () => {
  const url = `http://127.0.0.1:${offline.port}`;
  const ask = (headers: Record<string, string>) =>
    rawRequest(url, [
      'GET /health HTTP/1.1',
      ...Object.entries({ host: new URL(url).host, ...headers }).map((header) => header.join(': ')),
    ]);

  const [own, foreign, rebound] = [
    await ask({ origin: url }),
    await ask({ origin: 'https://elsewhere.example' }),
    await ask({ host: 'elsewhere.example' }),
  ];

  expect([own.status, foreign.status, rebound.status]).toEqual([200, 403, 403]);
  expect(foreign.body).toContain('sent_from_elsewhere');
  expect(rebound.body).toContain('unknown_host');
});

/** The first invocation is ours, each of the others the kick of the one before it. */
test('jobs of 2 s, more than fit into the 10 s in which an invocation claims, are run by as many as it takes', async () => {
  receiver().answer = (response) => void setTimeout(() => response.end(), JOB_MS);
  const producer = database.processor();
  await producer.addJobFactories(jobs(readConfig({})));
  for (let n = 0; n < JOBS; n += 1) await producer.addJob('webhook', { url: receiver().url, body: n });

  await invokeWorker();
  await offline.until('all jobs are settled', async () => {
    const unsettled = await database.db
      .collection(collectionNames.jobs)
      .countDocuments({ status: { $ne: 'completed' } });
    return unsettled === 0;
  });

  const settled = await producer.getJobs();
  expect(settled).toHaveLength(JOBS);
  for (const { status, retryCounter, errors } of settled)
    expect({ status, retryCounter, errors }).toEqual({ status: 'completed', retryCounter: 1, errors: [] });
  expect(offline.output.match(/"Worker invocation ended"/g)?.length).toBeGreaterThanOrEqual(2);
  expect(offline.output).not.toContain('Lambda timeout');
});

test('a signal stops it, and nothing stays alive', async () => {
  expect(offline.process.exitCode).toBe(null);
  const exited = once(offline.process, 'exit');
  offline.process.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  await expect(connectTo(offline.port)).rejects.toThrow('ECONNREFUSED');
  await expect(connectTo(offline.lambdaPort)).rejects.toThrow('ECONNREFUSED');
});

async function add(name: string, input: unknown): Promise<string> {
  const body = JSON.stringify({ name, input });
  const response = await offline.request('/v1/jobs', { method: 'POST', body });
  expect(response.status).toBe(202);
  return z.object({ id: z.string() }).parse(await response.json()).id;
}

async function completed(id: string): Promise<z.output<typeof jobSchema>> {
  return offline.until(`job ${id} is completed`, async () => {
    const job = jobSchema.parse(await (await offline.request(`/v1/jobs/${id}`)).json());
    return job.status === 'completed' && job;
  });
}

async function connectTo(target: number): Promise<void> {
  const socket = connect(target, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

async function invokeWorker(): Promise<void> {
  const name = 'remote-processor-local-worker';
  const url = `http://127.0.0.1:${offline.lambdaPort}/2015-03-31/functions/${name}/invocations`;
  const response = await fetch(url, { method: 'POST', headers: { 'x-amz-invocation-type': 'Event' } });
  expect(response.status).toBe(202);
}
