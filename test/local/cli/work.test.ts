import { once } from 'node:events';
import { expect, test } from 'vitest';
import { useDatabase } from '../../database.js';
import { eventually } from '../../eventually.js';
import { useCommandLine } from './command-line.js';
import { jobs } from './jobs-module.js';

const database = useDatabase();
const { run, start } = useCommandLine(database);

const jobsModule = ['--jobs', 'test/local/cli/jobs-module.ts'];

/** Runs `work` or `schedule`, and collects what it logs. */
function startLoop(...args: readonly string[]) {
  const child = start(args, { on: 'database', env: { NODE_OPTIONS: '--import tsx' } });
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

  const worker = startLoop(
    'work',
    ...jobsModule,
    '--name',
    'mine',
    '--max-threads',
    '2',
    '--health-port',
    '0',
  );
  await eventually(async () => {
    expect(await processor.getJobResult(quick ?? '')).toBe('done');
    expect(await processor.getJobStatus(patient ?? '')).toBe('processing');
  }, 60_000);
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

  worker.child.kill('SIGTERM');
  expect(await worker.exit()).toBe(0);
  expect(await processor.getJob(patient ?? '')).toMatchObject({ status: 'queued', givenBackCounter: 1 });
});

test('a second signal ends it at once', async () => {
  const processor = database.processor();
  await processor.addJobFactories(jobs);
  const id = await processor.addJob('stubborn');

  const worker = startLoop('work', ...jobsModule, '--queues', 'default');
  await eventually(async () => expect(await processor.getJobStatus(id)).toBe('processing'), 60_000);
  worker.child.kill('SIGTERM');
  await eventually(() => expect(worker.log()).toContain('Stopping'));
  worker.child.kill('SIGTERM');

  expect(await worker.exit()).toBe(130);
  expect(await processor.getJobStatus(id)).toBe('processing');
});

test('schedule makes the jobs of the schedules that its module declares', async () => {
  const processor = database.processor();

  const scheduler = startLoop('schedule', ...jobsModule);
  await eventually(async () => {
    const { jobs } = await processor.listJobs();
    expect(jobs).toMatchObject([{ jobName: 'quick', status: 'queued', occurrence: { item: 'past' } }]);
  }, 60_000);
  scheduler.child.kill('SIGINT');

  expect(await scheduler.exit()).toBe(0);
});

test('what is wrong with the module or the settings is told', async () => {
  const missing = await run(['work', '--jobs', './nowhere.js'], { on: 'database' });
  const without = await run(['work', '--jobs', './package.json'], { on: 'database' });
  const badSettings = await run(['work', '--max-threads', 'many'], { on: 'database' });
  const nowhere = await run(['schedule'], { on: 'database', env: { MONGODB_URI: undefined } });

  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('./nowhere.js cannot be loaded') });
  expect(without).toMatchObject({ code: 1 });
  expect(badSettings).toMatchObject({ code: 2, err: expect.stringContaining('MAX_THREADS') });
  expect(nowhere).toMatchObject({ code: 2 });
});
