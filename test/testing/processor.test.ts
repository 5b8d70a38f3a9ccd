/** What `remote-processor/testing` offers to tests of one's own jobs: time, faults and a database of one's own. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { createTestProcessor, expectAdded } from '../../local/testing/index.js';
import { defineJob, RemoteException } from '../../src/index.js';

const nine = new Date('2026-01-31T09:00:00Z');

const greet = defineJob({
  name: 'greet',
  input: z.object({ name: z.string() }),
  run: ({ input }) => `Hello, ${input.name}`,
});

const noInput = defineJob({ name: 'noInput', retryDelay: '1m', run: () => 'done' });

test('a delayed job runs when the clock has moved that far, and not before', async () => {
  await using processor = await createTestProcessor({ jobs: { greet } });
  const id = await processor.addJob('greet', { name: 'Ada' }, { delay: '2 days' });

  expect(await processor.drainAll()).toEqual([]);
  expect(await processor.advance('47h')).toEqual([]);
  expect(await processor.advance('1h')).toMatchObject([
    { jobId: id, outcome: 'completed', at: processor.now() },
  ]);
  expect(await processor.getJobResult(id)).toBe('Hello, Ada');
});

test('schedules, delayed jobs and retries run in the order of their times', async () => {
  await using processor = await createTestProcessor({ jobs: { greet, noInput }, now: nine });
  await processor.addScheduler({ type: 'Cron', cron: '0 * * * *', jobName: 'noInput', active: true });
  await processor.addJob('greet', { name: 'Ada' }, { runAt: new Date('2026-01-31T10:30:00Z') });
  processor.failNext(noInput);

  const ended = await processor.advance('2h');
  expect(ended.map(({ at, jobName, outcome }) => [at.toISOString().slice(11, 16), jobName, outcome])).toEqual(
    [
      ['10:00', 'noInput', 'retried'],
      ['10:01', 'noInput', 'completed'],
      ['10:30', 'greet', 'completed'],
      ['11:00', 'noInput', 'completed'],
    ],
  );
  expect(processor.now()).toEqual(new Date('2026-01-31T11:00:00Z'));
});

test('drainAll also runs what jobs add, and waits for no retry', async () => {
  const spread = defineJob({
    name: 'spread',
    run: async ({ processor }) => {
      await processor.addJob(greet, { name: 'Bob' });
      await processor.addJob(noInput);
    },
  });
  await using processor = await createTestProcessor({ jobs: { spread, greet, noInput }, maxThreads: 1 });
  processor.failNext('noInput', new Error('The line is busy.'));
  await processor.addJob('spread');

  expect(await processor.drainAll()).toMatchObject([
    { jobName: 'spread', outcome: 'completed' },
    { jobName: 'greet', outcome: 'completed' },
    { jobName: 'noInput', outcome: 'retried', error: 'The line is busy.' },
  ]);
});

test('two processors have databases and clocks of their own', async () => {
  await using early = await createTestProcessor({ jobs: { greet }, now: nine });
  await using late = await createTestProcessor({ jobs: { greet }, now: nine });
  const id = await early.addJob('greet', { name: 'Ada' }, { delay: '1h' });

  await late.advance('1 day');
  expect(await late.getJob(id)).toBeUndefined();
  expect(await early.drainAll()).toEqual([]);
  expect(early.now()).toEqual(nine);
});

test('settled jobs expire when the clock has moved beyond their retention', async () => {
  await using processor = await createTestProcessor({ jobs: { greet } });
  await using other = await createTestProcessor({ jobs: { greet } });
  const id = await processor.addJob('greet', { name: 'Ada' });
  const kept = await other.addJob('greet', { name: 'Ada' });
  await Promise.all([processor.drainAll(), other.drainAll()]);

  await processor.advance('8 days');
  expect(await processor.getJob(id)).toBeUndefined();
  expect(await other.getJobStatus(kept)).toBe('completed');
});

test('onTime hears the first time and each at which something becomes due', async () => {
  const times: string[] = [];
  const onTime = (now: Date) => times.push(now.toISOString().slice(11, 16));
  await using processor = await createTestProcessor({ jobs: { greet }, now: nine, onTime });
  await processor.addJob('greet', { name: 'Ada' }, { delay: '30m' });
  await processor.advance('1h');
  expect(times).toEqual(['09:00', '09:30', '10:00']);
});

test('moments from before Date was faked are moments', async () => {
  onTestFinished(() => void vi.useRealTimers());
  const onTime = (now: Date) => vi.setSystemTime(now);
  const due = new Date('2026-01-31T09:30:00Z');
  const dated = defineJob({ name: 'dated', input: z.any(), run: () => new Date() });
  await using first = await createTestProcessor({ onTime, now: nine });
  await using processor = await createTestProcessor({ jobs: { dated }, onTime, now: nine });
  const id = await processor.addJob('dated', { due }, { runAt: due });
  await expectAdded(processor, dated, { due });
  await processor.addScheduler({ type: 'At', at: due, jobName: 'dated', input: 1, active: true });

  expect(await processor.advance('30m')).toHaveLength(2);
  expect(await processor.getJobResult(id)).toEqual(due);
  expect(first.now()).toEqual(nine);
});

test('failNext fails one attempt each time it is called', async () => {
  await using processor = await createTestProcessor({ jobs: { noInput } });
  processor.failNext(noInput);
  processor.failNext(noInput, new RemoteException('The address does not exist.'));
  const id = await processor.addJob('noInput');

  const ended = await processor.advance('1h');
  expect(ended.map(({ outcome }) => outcome)).toEqual(['retried', 'errors']);
  const { errors = [] } = (await processor.getJob(id)) ?? {};
  expect(errors.map(({ message }) => message)).toEqual([
    'Failed by failNext.',
    expect.stringContaining('The address does not exist.'),
  ]);
});

test('a fault of a job that is not registered is refused by its name', async () => {
  await using processor = await createTestProcessor({ jobs: { noInput } });
  const unknown = { code: 'unknown_job_name', jobName: 'greet', known: ['noInput'] };
  expect(() => processor.failNext('greet')).toThrow(expect.objectContaining(unknown));
  expect(() => processor.slowNext(greet, '1s')).toThrow(expect.objectContaining(unknown));
  expect(() => processor.loseNext(greet)).toThrow(expect.objectContaining(unknown));
});

/** Notes the token of each run. */
function noting(tokens: string[]) {
  return defineJob({
    name: 'note',
    run: ({ attempt, token }) => {
      tokens.push(`${attempt} ${token}`);
      return attempt;
    },
  });
}

test('a worker that is too slow finds that another one has run its job', async () => {
  const tokens: string[] = [];
  const note = noting(tokens);
  await using processor = await createTestProcessor({ jobs: { note } });
  processor.slowNext(note, '10m');
  const id = await processor.addJob('note');

  const ended = await processor.drainAll();
  expect(ended.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
    [1, 'recovered'],
    [2, 'completed'],
    [1, 'stale'],
  ]);
  expect(tokens.map((token) => token.slice(0, 2))).toEqual(['2 ', '1 ']);
  expect(new Set(tokens.map((token) => token.slice(2))).size).toBe(2);
  expect(await processor.getJobResult(id)).toBe(2);
});

test('an attempt that is slow for less than its lease only takes time', async () => {
  await using processor = await createTestProcessor({ jobs: { greet }, now: nine });
  processor.slowNext('greet', '20s');
  await processor.addJob('greet', { name: 'Ada' });

  expect(await processor.advance('5s')).toMatchObject([{ attempt: 1, outcome: 'completed' }]);
  expect(processor.now()).toEqual(new Date('2026-01-31T09:00:20Z'));
});

test('a job whose worker is lost after its work runs once more', async () => {
  const tokens: string[] = [];
  const note = noting(tokens);
  await using processor = await createTestProcessor({ jobs: { note }, lease: '1m', now: nine });
  processor.loseNext(note);
  const id = await processor.addJob('note');

  await processor.drainAll();
  expect(tokens.map((token) => token.slice(0, 2))).toEqual(['1 ', '2 ']);
  expect(await processor.getJobResult(id)).toBe(2);
  expect(processor.now()).toEqual(new Date('2026-01-31T09:01:30Z'));
});

test.each([
  [2, 2],
  [1, 1],
])(
  'when a worker of %i jobs at a time loses one, the job beside it runs %i times',
  async (maxThreads, times) => {
    let tellRecovered = () => {};
    const recovered = new Promise<void>((resolve) => {
      tellRecovered = resolve;
    });
    let runs = 0;
    const beside = defineJob({
      name: 'beside',
      run: async () => {
        runs += 1;
        if (runs === 1 && times > 1) await recovered;
      },
    });
    await using processor = await createTestProcessor({ jobs: { noInput, beside }, maxThreads });
    processor.on('attemptEnded', ({ jobName, outcome }) => {
      if (jobName === 'beside' && outcome === 'recovered') tellRecovered();
    });
    processor.loseNext(noInput);
    await processor.addJobs([{ name: 'beside' }, { name: 'noInput' }]);

    await processor.drainAll();
    expect(runs).toBe(times);
  },
);

test('an item that a job adds for now makes its job in the same drainAll', async () => {
  const plan = defineJob({
    name: 'plan',
    run: async ({ processor }) => {
      await processor.addScheduler({ type: 'At', at: nine, jobName: 'noInput', active: true });
    },
  });
  await using processor = await createTestProcessor({ jobs: { plan, noInput }, now: new Date(+nine - 1000) });
  await processor.addJob('plan', undefined, { delay: '1s' });
  expect(await processor.advance('1s')).toMatchObject([{ jobName: 'plan' }, { jobName: 'noInput' }]);
});

test.each([
  ['createTestProcessor', { now: 'tomorrow' }, 'now'],
  ['createTestProcessor', { onTime: 5 }, 'onTime'],
  ['RemoteProcessor', { maxThreads: 0 }, 'maxThreads'],
  ['createTestProcessor', { maxThread: 1 }, 'maxThread'],
])('a wrong option of %s is named: %j', async (_, options, path) => {
  const call: (options: object) => Promise<unknown> = createTestProcessor;
  await expect(call(options)).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path }] });
});

test('a wrong duration changes nothing', async () => {
  await using processor = await createTestProcessor({ now: nine });
  await expect(processor.advance('soon')).rejects.toMatchObject({ code: 'validation_failed' });
  expect(() => processor.slowNext('greet', -1)).toThrow(/expected milliseconds/);
  expect(processor.now()).toEqual(nine);
});

test('after the last one is closed, the next one starts a new server', async () => {
  const first = await createTestProcessor({ jobs: { greet } });
  await first.close();
  await first.close();
  await using second = await createTestProcessor({ jobs: { greet } });
  await second.addJob('greet', { name: 'Ada' });
  expect(await second.drainAll()).toMatchObject([{ outcome: 'completed' }]);
});

test('limits are set, paused and resumed, and a pause outlasts every look after its line', async () => {
  const limited = defineJob({ name: 'limited', concurrency: { limit: 1 }, run: () => 'done' });
  await using processor = await createTestProcessor({ jobs: { limited, noInput }, maxThreads: 4 });
  await processor.limits.pause('limited');
  await processor.addJobs([1, 2, 3].map(() => ({ job: limited })));

  expect(await processor.drainAll()).toEqual([]);
  for (let minutes = 0; minutes < 6; minutes += 2) {
    await processor.addJob(noInput, undefined, { delay: '2m' }); // Whoever runs it looks after lines.
    expect(await processor.advance('2m')).toMatchObject([{ jobName: 'noInput' }]);
  }
  expect(await processor.limits.get('limited')).toMatchObject({ waiting: { count: 3 }, taken: 0 });
  await processor.limits.set('limited', { max: 2 });
  expect(await processor.drainAll()).toEqual([]);
  await processor.limits.resume('limited');
  expect((await processor.limits.get('limited')).taken).toBe(2);
  expect(await processor.drainAll()).toHaveLength(3);
  await processor.advance('5m');
  expect((await processor.limits.list()).limits).toMatchObject([{ key: 'limited', max: 2 }]);
});

test('a debounce waits until no more are added, and no longer than its longest wait', async () => {
  const rebuild = defineJob({
    name: 'rebuild',
    input: z.object({ n: z.number() }),
    debounce: { key: 'all', delay: '30s', maxWait: '1m' },
    run: ({ input }) => input.n,
  });
  await using processor = await createTestProcessor({ jobs: { rebuild }, now: nine });
  const id = await processor.addJob(rebuild, { n: 1 });
  expect(await processor.advance('29s')).toEqual([]);
  await processor.addJob(rebuild, { n: 2 });
  expect(await processor.advance('29s')).toEqual([]);
  await processor.addJob(rebuild, { n: 3 });
  const ended = await processor.advance('1m');
  expect(ended).toMatchObject([{ jobId: id, outcome: 'completed', at: new Date('2026-01-31T09:01:00Z') }]);
  expect(await processor.getJobResult(id)).toBe(3);
});

test('a period keeps the key from adding on', async () => {
  const digest = defineJob({ name: 'digest', unique: { key: 'all', period: '1h' }, run: () => 'sent' });
  await using processor = await createTestProcessor({ jobs: { digest } });
  const outcomes: string[] = [];
  for (const pause of ['59m', '1m', '1m']) {
    outcomes.push((await processor.jobs.add(digest)).outcome);
    await processor.advance(pause);
  }
  expect(outcomes).toEqual(['added', 'kept', 'added']);
});
