import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { closeMongoClients } from '../../../src/mongo/client.js';
import { collectionNames } from '../../collection-names.js';
import { useDatabase } from '../../database.js';
import { eventually } from '../../eventually.js';
import { program } from '../../programs.js';
import { useCommandLine } from './command-line.js';
import { jobs } from './jobs-module.js';

const database = useDatabase();
const { run, runProcess, start } = useCommandLine(database);

const source = 'test/local/cli/jobs-module.ts';

afterAll(closeMongoClients); // As the end of a process would.

/** Compiled: node starts faster without a loader of TypeScript. */
const jobsModule = async () => ['--jobs', await program(source)];

/** Runs `work` or `schedule`, and collects what it logs. */
async function startLoop(args: readonly string[], env = {}) {
  const child = await start(args, { on: 'database', env });
  const exited = once(child, 'exit');
  let log = '';
  child.stdout.on('data', (chunk) => {
    log += chunk;
  });
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  return { child, log: () => log, exit: async () => (await exited)[0] };
}

test('work runs jobs of its module; at SIGTERM it gives back what runs, and ends', async () => {
  const processor = database.processor();
  await processor.addJobFactories(jobs);
  const [quick, patient] = await processor.addJobs([{ name: 'quick' }, { name: 'patient' }]);

  const options = ['--name', 'mine', '--max-threads', '2', '--health-port', '0'];
  const worker = await startLoop(['work', ...(await jobsModule()), ...options], { METRICS_PORT: '0' });
  await eventually(async () => {
    expect(await processor.getJobResult(quick ?? '')).toBe('done');
    expect(await processor.getJobStatus(patient ?? '')).toBe('processing');
  });
  const port = await eventually(() => {
    const found = /"url":"http:\/\/[^:]+:(\d+)"/.exec(worker.log())?.[1];
    expect(found).toBeDefined();
    return found;
  });
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  expect({ status: health.status, body: await health.json() }).toEqual({
    status: 200,
    body: { status: 'ok', loops: ['mine-worker'] },
  });

  expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);

  const metrics = /metrics","url":"([^"]*)"/.exec(worker.log())?.[1];
  const scraped = await (await fetch(`${metrics}/metrics`)).text();
  expect(scraped).toContain('remote_processor_running_jobs 1\n');
  expect(scraped).toContain('\nnodejs_eventloop_lag_seconds ');

  worker.child.kill('SIGTERM');
  expect(await worker.exit()).toBe(0);
  expect(await processor.getJob(patient ?? '')).toMatchObject({ status: 'queued', givenBackCounter: 1 });
});

test('a second signal ends it at once', async () => {
  const processor = database.processor();
  await processor.addJobFactories(jobs);
  const id = await processor.addJob('stubborn');

  const worker = await startLoop(['work', ...(await jobsModule()), '--queues', 'default']);
  await eventually(async () => expect(await processor.getJobStatus(id)).toBe('processing'));
  worker.child.kill('SIGTERM');
  await eventually(() => expect(worker.log()).toContain('Stopping'));
  worker.child.kill('SIGTERM');

  expect(await worker.exit()).toBe(130);
  expect(await processor.getJobStatus(id)).toBe('processing');
});

test('schedule makes the jobs of the schedules that its module, of TypeScript, declares', async () => {
  const processor = database.processor();

  const scheduler = await startLoop(['schedule', '--jobs', source]);
  await eventually(async () => {
    const { jobs } = await processor.jobs.list();
    expect(jobs).toMatchObject([{ jobName: 'quick', status: 'queued', occurrence: { item: 'past' } }]);
  });
  scheduler.child.kill('SIGINT');

  expect(await scheduler.exit()).toBe(0);
});

test('a port for the health that is in use is told before anything is started, and jobs that are not of the user are told, too', async () => {
  const other = createServer();
  await once(other.listen(0, '0.0.0.0'), 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? String(address?.port) : '';

  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const { code, err } = await run(['work', ...(await jobsModule()), '--health-port', port], {
    on: 'database',
  });
  expect(written).not.toHaveBeenCalled();
  const without = await run(['work', '--health-port', port], { on: 'database' });
  const [[warning] = []] = written.mock.calls;
  written.mockRestore();
  other.close();

  expect(without.code).toBe(1);
  expect(JSON.parse(String(warning))).toMatchObject({
    level: 'warn',
    message: expect.stringContaining('Without --jobs, this runs only the jobs that come with'),
    jobs: expect.arrayContaining(['echo']),
  });
  expect(code).toBe(1);
  expect(err).toMatch(
    /error: Cannot listen on 0\.0\.0\.0:\d+\. Is it in use\? Choose another by --health-port\n$/,
  );
  expect(await database.db.collection(collectionNames.jobFactories).countDocuments()).toBe(0);
  expect(await run(['schedule', '--health-port', '65536'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('Expected a port from 0 to 65535. See'),
  });
});

test('a module that defines jobs of an illegal name: the message says which', async () => {
  const folder = await mkdtemp('.esbuild/jobs-');
  const file = join(folder, 'jobs.js');
  await writeFile(
    file,
    `import { defineJob } from '${await program('src/index.ts')}';
     export const jobs = ['good', 'two words'].map((name) => defineJob({ name, run: () => {} }));`,
  );

  const { code, err } = await runProcess(['work', '--jobs', file], { on: 'database' });
  await rm(folder, { recursive: true });

  expect(code).toBe(1);
  expect(err).toContain("Definition of the job 'two words' is invalid: name: expected 1 to 100 letters");
});

test('what is wrong with the module or the settings is told', async () => {
  const missing = await run(['work', '--jobs', './nowhere.js'], { on: 'database' });
  const without = await run(['work', '--jobs', await program('src/index.ts')], { on: 'database' });
  const badSettings = await run(['work', '--max-threads', 'many'], { on: 'database' });
  const nowhere = await run(['schedule'], { on: 'database', env: { MONGODB_URI: undefined } });

  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('./nowhere.js cannot be loaded') });
  expect(without).toMatchObject({ code: 2, err: expect.stringContaining('expected job factories') });
  expect(badSettings).toMatchObject({ code: 2, err: expect.stringContaining('MAX_THREADS') });
  expect(nowhere).toMatchObject({ code: 2 });
});
