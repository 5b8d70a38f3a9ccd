import { describe, expect, test } from 'vitest';
import type { JobDocument } from '../../src/job/job.js';
import type { SchedulerItemDocument } from '../../src/scheduler/item.js';
import { check } from './check.js';
import { countEvidence } from './counts.js';
import type { Evidence, Run, Sighting } from './evidence.js';

const LEASE_MS = 1000;

/** A moment of the database's clock, in milliseconds from the start of the story. */
const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms);

/** A job that was added at 0, taken under `token` at 100 and completed at 200. */
function completed(change: Partial<JobDocument> = {}): JobDocument {
  return {
    _id: 'job',
    jobName: 'chaos',
    queue: 'default',
    priority: 0,
    status: 'completed',
    input: { n: 0, fate: 'return', group: 1 },
    output: { token: 'token' },
    runAt: at(0),
    created: at(0),
    queued: at(0),
    picked: at(100),
    started: at(100),
    completed: at(200),
    retryCounter: 1,
    givenBackCounter: 0,
    maxRetries: 3,
    retryDelay: 0,
    errors: [],
    lastToken: 'token',
    ...change,
  };
}

/** The job as the holder of `token` sees it, who took it at `picked`. */
function held(token: string, picked: number, seen: number, change: Partial<Sighting> = {}): Sighting {
  return {
    _id: 'job',
    status: 'processing',
    lease: { token, worker: 'worker', lengthMs: LEASE_MS, expires: at(picked + LEASE_MS) },
    picked: at(picked),
    queued: at(0),
    runAt: at(0),
    givenBackCounter: 0,
    at: at(seen),
    ...change,
  };
}

/** The run of the completed job. */
function run(change: Partial<Run> = {}): Run {
  return {
    _id: 'run',
    job: 'job',
    attempt: 1,
    token: 'token',
    process: 'worker-0',
    notBefore: at(105),
    began: held('token', 100, 110),
    ended: { how: 'returned', sighting: held('token', 100, 190) },
    ...change,
  };
}

function evidence(change: Partial<Evidence> = {}): Evidence {
  return {
    jobs: [completed()],
    runs: [run()],
    notes: [{ kind: 'added', job: 'job' }],
    items: [],
    crashes: [],
    leaseMs: LEASE_MS,
    itemsEnded: at(2900),
    mayBeShort: 0,
    now: at(100_000),
    ...change,
  };
}

/** The run of the first attempt of a job that a second one then completed; `end`: when the first one's lease ended. */
function twoRuns(end: number, first: Partial<Run>): Evidence {
  const second = (seen: number) => held('token', 2000, seen, { queued: at(end), lastToken: 'first' });
  return evidence({
    jobs: [completed({ retryCounter: 2, queued: at(end), picked: at(2000), completed: at(2200) })],
    runs: [
      {
        _id: 'first run',
        job: 'job',
        attempt: 1,
        token: 'first',
        process: 'worker-1',
        notBefore: at(105),
        began: held('first', 100, 110),
        ...first,
      },
      run({
        attempt: 2,
        notBefore: at(2005),
        began: second(2010),
        ended: { how: 'returned', sighting: second(2190) },
      }),
    ],
  });
}

const broken = (given: Evidence) => check(given).map(({ rule }) => rule);

test('a job that ran once and completed is well', () => {
  expect(broken(evidence())).toEqual([]);
  expect(countEvidence(evidence(), [])).toMatchObject({
    added: 1,
    settled: 1,
    waiting: 0,
    runs: 1,
    short: 0,
  });
});

test('a job that is taken again after its lease expired, and whose first run goes on, is well', () => {
  const late = held('token', 2000, 2100, { queued: at(1200), lastToken: 'first' });
  expect(broken(twoRuns(1200, {}))).toEqual([]);
  expect(broken(twoRuns(1200, { ended: { how: 'returned', sighting: late } }))).toEqual([]);
});

test('a run that ended before its lease was ended, or that was told to stop, is well', () => {
  expect(broken(twoRuns(300, { ended: { how: 'threw', sighting: held('first', 100, 290) } }))).toEqual([]);
  expect(broken(twoRuns(300, { aborted: { why: 'stopping', at: at(310) } }))).toEqual([]);
});

test('a job is gone whose id was returned', () => {
  expect(broken(evidence({ jobs: [], runs: [] }))).toEqual(['lost']);
  expect(broken(evidence({ notes: [{ kind: 'scheduled', job: 'other' }] }))).toEqual(['lost']);
});

test('an id was returned for another input', () => {
  expect(broken(evidence({ notes: [{ kind: 'taken for another', job: 'job' }] }))).toEqual(['conflict']);
});

test('a lease is taken while another run holds one', () => {
  expect(broken(twoRuns(99, {}))).toContain('overlap');
  const first = { ended: { how: 'returned' as const, sighting: held('first', 100, 2050) } };
  const stolen = twoRuns(1200, first);
  expect(broken(stolen)).toContain('overlap');
});

test('a function is called after its lease was lost to another', () => {
  const other = held('token', 2000, 2100, { queued: at(1200), lastToken: 'first' });
  expect(broken(twoRuns(1200, { notBefore: at(2095), began: other }))).toEqual(['overlap']);
});

test('a function whose call cannot be told from before the loss of its lease is given the benefit of the doubt', () => {
  const other = held('token', 2000, 2100, { queued: at(1200), lastToken: 'first' });
  expect(broken(twoRuns(1200, { notBefore: at(1195), began: other }))).toEqual([]);
});

test('a lease is ended by another while it is valid and its run is under way', () => {
  expect(broken(twoRuns(300, {}))).toEqual(['fencing']);
  expect(broken(twoRuns(300, { aborted: { why: 'lease lost', at: at(290) } }))).toEqual(['fencing']);
  expect(broken(twoRuns(300, { aborted: { why: 'timed out', at: at(1500) } }))).toEqual(['fencing']);
  const settledByAnother = run({ ended: { how: 'returned', sighting: { ...completed(), at: at(400) } } });
  expect(broken(evidence({ runs: [settledByAnother] }))).toEqual(['fencing']);
});

test('a run that was suspended notes no end, and is well, also if its job is cancelled then', () => {
  const steps = {
    run: 1,
    version: 1,
    waits: [{ name: 'night', kind: 'sleep', began: at(300) }],
  } as const;
  const [first, second] = twoRuns(300, {}).runs;
  if (!first || !second?.began) throw new Error('There are two runs.');
  const resumed = { ...second, began: { ...second.began, steps } };
  expect(broken({ ...twoRuns(300, {}), runs: [first, resumed] })).toEqual([]);
  const settled = { retryCounter: 1, picked: at(100), queued: at(300), completed: at(400), steps };
  const cancelled = completed({ ...settled, status: 'cancelled', cancelRequested: at(400) });
  expect(broken(evidence({ jobs: [cancelled], runs: [first] }))).toEqual([]);
  const before = { ...steps, waits: [{ ...steps.waits[0], began: at(50) }] };
  const endedByAnother = { ...second, began: { ...second.began, steps: before } };
  expect(broken({ ...twoRuns(300, {}), runs: [first, endedByAnother] })).toEqual(['fencing']);
});

test('a job is completed with the output of another run', () => {
  expect(broken(evidence({ jobs: [completed({ output: { token: 'stale' } })] }))).toEqual(['fencing']);
});

test('a job is completed though its run never returned', () => {
  const threw = run({ ended: { how: 'threw', sighting: held('token', 100, 190) } });
  expect(broken(evidence({ runs: [threw] }))).toEqual(['fencing']);
});

test('a lease is taken after the job was settled', () => {
  const again = run({
    _id: 'again',
    token: 'again',
    attempt: 2,
    began: held('again', 300, 310, { queued: at(250) }),
    notBefore: at(305),
  });
  const jobs = [completed({ retryCounter: 2 })];
  expect(broken(evidence({ jobs, runs: [run(), again] }))).toContain('after settle');
});

test('a function is called after the job was settled', () => {
  const late: Run = {
    _id: 'late',
    job: 'job',
    attempt: 1,
    token: 'late',
    process: 'worker-1',
    notBefore: at(205),
    began: { ...completed(), at: at(210) },
  };
  const jobs = [completed({ givenBackCounter: 1 })];
  expect(broken(evidence({ jobs, runs: [run(), late] }))).toEqual(['after settle']);
  expect(broken(evidence({ jobs, runs: [run(), { ...late, notBefore: at(195) }] }))).toEqual([]);
});

test('a job runs again after a run saw it settled', () => {
  const sawItSettled = run({
    _id: 'saw',
    token: 'saw',
    notBefore: at(50),
    began: { ...completed({ completed: at(60) }), at: at(70) },
  });
  const jobs = [completed({ givenBackCounter: 1 })];
  expect(broken(evidence({ jobs, runs: [sawItSettled, run()] }))).toContain('after settle');
});

test('a job that was cancelled while it was queued starts', () => {
  const cancelled = completed({ status: 'cancelled', cancelRequested: at(50), completed: at(50) });
  expect(broken(evidence({ jobs: [cancelled] }))).toContain('cancelled');
});

test('a job whose cancelling was answered ends otherwise', () => {
  const notes = [{ kind: 'cancelled', job: 'job', answer: 'processing' }] as const;
  expect(broken(evidence({ notes }))).toEqual(['cancelled']);
  expect(broken(evidence({ jobs: [completed({ cancelRequested: at(150) })] }))).toEqual(['cancelled']);
});

test('a job runs before its time', () => {
  const began = held('token', 100, 110, { runAt: at(101) });
  expect(broken(evidence({ runs: [run({ began })] }))).toEqual(['too early']);
});

test('a run was not counted', () => {
  expect(broken(evidence({ jobs: [completed({ retryCounter: 0 })] }))).toEqual(['attempts']);
});

test('a claim ran twice', () => {
  const jobs = [completed({ givenBackCounter: 1 })];
  expect(broken(evidence({ jobs, runs: [run(), run({ _id: 'twice' })] }))).toContain('attempts');
});

test('more claims never ran than were interrupted', () => {
  const jobs = [completed({ givenBackCounter: 2 })];
  expect(broken(evidence({ jobs, mayBeShort: 1 }))).toEqual(['attempts']);
  expect(broken(evidence({ jobs, mayBeShort: 2 }))).toEqual([]);
});

test('a job has more attempts than it may', () => {
  expect(broken(evidence({ jobs: [completed({ maxRetries: 0 })] }))).toEqual(['attempts']);
  expect(broken(evidence({ runs: [run({ attempt: 4 })] }))).toEqual(['attempts']);
});

test('two unsettled jobs have a unique key', () => {
  const key = { freedUniqueKey: 'key' };
  const first = completed({ ...key, _id: 'first', output: { token: 'token' } });
  const story = (created: number) =>
    evidence({
      jobs: [first, completed({ ...key, created: at(created), completed: at(900) })],
      runs: [run({ _id: 'its run', job: 'first' }), run()],
    });
  expect(broken(story(200))).toEqual([]);
  expect(broken(story(199))).toContain('unique key');
  const [, { jobName, ...other } = first] = story(199).jobs;
  expect(broken({ ...story(199), jobs: [first, { ...other, jobName: 'another' }] })).toEqual([]);
});

test('a job is left in processing, or waiting though it is due', () => {
  const processing = {
    lastToken: 'before',
    status: 'processing',
    lease: { token: 'token', worker: 'worker', lengthMs: LEASE_MS, expires: at(1100) },
  } as const;
  const queued = completed({ status: 'queued', runAt: at(5000), lastToken: 'before' });
  const left = (job: JobDocument, now: number) => broken(evidence({ jobs: [job], now: at(now) }));
  expect(left(completed(processing), 2101)).toEqual(['left']);
  expect(left(completed(processing), 2100)).toEqual([]);
  expect(left(queued, 5000)).toEqual(['left']);
  expect(left(queued, 4999)).toEqual([]);
});

test('a process crashed', () => {
  expect(broken(evidence({ crashes: ['worker-0 ended with 1'] }))).toEqual(['crash']);
});

const item: SchedulerItemDocument = {
  _id: 'item',
  type: 'Delay',
  delay: 1000,
  title: '',
  description: '',
  jobName: 'chaos',
  active: true,
  nextCallTime: at(4000),
  lastCallTime: at(3000),
  timeZone: 'UTC',
  catchUp: 'once',
  overlap: 'allow',
  occurrences: 3,
  skipped: 0,
  version: 1,
};

function previousOf(due: readonly (readonly [at: number, late: number])[], index: number): Date | null {
  const before = due[index - 1];
  return before ? at(before[0]) : null;
}

/** Jobs of the item for these due times, each made at once, or as late as given. */
function occurrences(...due: (readonly [at: number, late: number])[]): Evidence {
  const jobs = due.map(([ms, late], index) =>
    completed({
      _id: `job ${index}`,
      status: 'error',
      retryCounter: 0,
      occurrence: { item: 'item', at: at(ms), previous: previousOf(due, index) },
      created: at(ms + late),
    }),
  );
  return evidence({ jobs, runs: [], notes: [], items: [item] });
}

test('an item whose scheduler was late leaves out what was missed, and nothing else', () => {
  expect(broken(occurrences([1000, 5], [2000, 5], [3000, 5]))).toEqual([]);
  expect(broken(occurrences([1000, 91_500], [3000, 5]))).toEqual([]);
  expect(broken(occurrences([1000, 90_500], [3000, 5]))).toEqual(['occurrence']);
  expect(broken(occurrences([1000, 1500], [3000, 5]))).toEqual(['occurrence']);
});

test('an occurrence has two jobs', () => {
  expect(broken(occurrences([2000, 5], [2000, 7], [3000, 5]))).toEqual(['occurrence']);
});

test('an occurrence has no job', () => {
  expect(broken(occurrences([1000, 5], [3000, 5]))).toEqual(['occurrence']);
  expect(broken(occurrences([1000, 5], [2000, 5]))).toEqual(['occurrence']);
});

test('an occurrence was left out though its item makes all that were missed', () => {
  const missed = occurrences([1000, 91_500], [3000, 5]);
  expect(broken({ ...missed, items: [{ ...item, catchUp: 'all' }] })).toEqual(['occurrence']);
});

test('the job of an occurrence is gone that another one follows', () => {
  const all = occurrences([1000, 91_500], [2000, 5], [3000, 5]);
  expect(broken({ ...all, jobs: all.jobs.toSpliced(1, 1) })).toEqual(['occurrence']);
  expect(broken({ ...all, jobs: all.jobs.toSpliced(0, 1) })).toEqual(['occurrence']);
});

test('an item makes no jobs any more', () => {
  const all = occurrences([1000, 5], [2000, 5], [3000, 5]);
  expect(broken({ ...all, itemsEnded: at(3999) })).toEqual([]);
  expect(broken({ ...all, itemsEnded: at(4000) })).toEqual(['occurrence']);
});

test('two schedulers made the same job', () => {
  const all = occurrences([1000, 5], [2000, 5], [3000, 5]);
  const note = { kind: 'scheduled', job: 'job 1' } as const;
  expect(broken({ ...all, notes: [note] })).toEqual([]);
  expect(broken({ ...all, notes: [note, note] })).toEqual(['occurrence']);
});

test('an item at rest after it made one job for what was missed is well', () => {
  const all = occurrences([1000, 5], [2000, 92_500]);
  expect(broken({ ...all, itemsEnded: at(4900), items: [{ ...item, lastCallTime: at(2000) }] })).toEqual([]);
  expect(broken({ ...all, itemsEnded: at(5000), items: [{ ...item, lastCallTime: at(2000) }] })).toEqual([
    'occurrence',
  ]);
  const catchUpAll = { ...item, lastCallTime: at(2000), catchUp: 'all' as const };
  expect(broken({ ...all, itemsEnded: at(4900), items: [catchUpAll] })).toEqual(['occurrence']);
});

test('an occurrence is not in the rhythm of its item', () => {
  expect(broken(occurrences([1000, 5], [1999, 5], [3000, 5]))).toContain('occurrence');
});

describe('of jobs in strict order', () => {
  /** Two jobs of these groups: the second is taken at `picked`, while the first is settled at 200. */
  const inOrder = (picked: number, group = 1): Evidence => {
    const job = { jobName: 'chaos-in-order' };
    const second = { _id: 'second', lastToken: 'second', output: { token: 'second' }, picked: at(picked) };
    return evidence({
      jobs: [
        completed(job),
        completed({ ...job, ...second, input: { n: 1, fate: 'return', group }, completed: at(400) }),
      ],
      runs: [
        run(),
        run({
          ...{ _id: 'second run', job: 'second', token: 'second' },
          began: held('second', picked, picked + 5, { _id: 'second' }),
          ended: { how: 'returned', sighting: held('second', picked, 390, { _id: 'second' }) },
        }),
      ],
    });
  };

  test('one after the other is well', () => {
    expect(broken(inOrder(250))).toEqual([]);
    expect(broken(inOrder(150, 2))).toEqual([]);
  });

  test('one begins before another that was added earlier is settled', () => {
    expect(broken(inOrder(150))).toEqual(['order']);
  });
});

describe('of jobs with a limit', () => {
  /** So many jobs of a group that run from 110 to 190 at a time. */
  const atATime = (count: number, groupOf: (n: number) => number): Evidence => {
    const ids = Array.from({ length: count }, (_, n) => `job ${n}`);
    return evidence({
      jobs: ids.map((_id, n) =>
        completed({
          _id,
          input: { n, fate: 'return', group: groupOf(n) },
          output: { token: _id },
          lastToken: _id,
        }),
      ),
      runs: ids.map((id) =>
        run({
          _id: `run of ${id}`,
          job: id,
          token: id,
          began: held(id, 100, 110, { _id: id }),
          ended: { how: 'returned', sighting: held(id, 100, 190, { _id: id }) },
        }),
      ),
      notes: ids.map((job) => ({ kind: 'added', job })),
    });
  };

  test('as many run as may', () => {
    expect(broken(atATime(8, (n) => Math.floor(n / 2)))).toEqual([]);
  });

  test('too many of a group run', () => {
    expect(new Set(broken(atATime(3, () => 1)))).toEqual(new Set(['limits']));
  });

  test('too many run in all', () => {
    expect(new Set(broken(atATime(9, (n) => n)))).toEqual(new Set(['limits']));
  });
});

describe('of jobs with steps', () => {
  const stepped = completed({ jobName: 'chaos-in-steps' });
  const note = (kind: 'step ran' | 'step stored', ms: number) =>
    ({ kind, job: 'job', step: 'first', token: 'token', at: at(ms) }) as const;
  const withSteps = (storedAt: number, times: number): Evidence => ({
    ...evidence({ jobs: [stepped], effects: [{ _id: 'job', times }] }),
    notes: [{ kind: 'added', job: 'job' }, note('step ran', 150), note('step stored', storedAt)],
  });

  test('a step runs and is then stored, and its transaction takes effect once', () => {
    expect(broken(withSteps(160, 1))).toEqual([]);
  });

  test('a step runs again, though it was stored before the job was taken', () => {
    expect(broken(withSteps(50, 1))).toEqual(['steps']);
  });

  test('a transaction takes effect twice, or never', () => {
    expect(broken(withSteps(160, 2))).toEqual(['effects']);
    expect(broken(withSteps(160, 0))).toEqual(['effects']);
  });
});

describe('of jobs under a rate limit', () => {
  /** Jobs that are claimed and begin at these moments. */
  const starting = (moments: readonly (readonly [picked: number, began: number])[]) =>
    evidence({
      jobs: moments.map(([picked], n) =>
        completed({
          _id: `job ${n}`,
          jobName: 'chaos-in-steps',
          picked: at(picked),
          completed: at(picked + 5_000),
        }),
      ),
      notes: [],
      runs: moments.map(([picked, began], n) => {
        const sighting = held('token', picked, began, { _id: `job ${n}` });
        return run({
          _id: `run ${n}`,
          job: `job ${n}`,
          notBefore: at(picked),
          began: sighting,
        });
      }),
    });
  const rates = (given: Evidence) => broken(given).filter((rule) => rule === 'rate');
  const three = [100, 101, 102].map((picked) => [picked, picked + 50] as const);

  test('as many start in a period as its limit and its burst allow', () => {
    expect(rates(starting(three))).toEqual([]);
    expect(rates(starting([...three, [1_050, 1_100]]))).toEqual([]);
  });

  test('one may have been claimed long before it began', () => {
    expect(rates(starting([...three, [50, 1_060]]))).toEqual([]);
  });

  test('one more starts', () => {
    expect(rates(starting([...three, [1_000, 1_099]]))).toEqual(['rate']);
  });
});

describe('of jobs behind a circuit breaker', () => {
  /** A job that is taken at 100, and sees that the breaker has been open since `opened`. */
  const behind = (opened: number, tried: string, seen = 110): Evidence =>
    evidence({
      jobs: [completed({ jobName: 'chaos-behind-a-breaker' })],
      runs: [
        run({
          began: held('token', 100, seen),
          breaker: { opened: at(opened), probe: { job: 'job', token: tried } },
        }),
      ],
    });

  test('the one that is tried begins', () => {
    expect(broken(behind(-60_000, 'token'))).toEqual([]);
  });

  test('others may begin as long as their workers may not have noticed', () => {
    expect(broken(behind(-6_900, 'another'))).toEqual([]);
    expect(broken(behind(-60_000, 'another', 700))).toEqual([]);
  });

  test('another begins later', () => {
    expect(broken(behind(-6_901, 'another'))).toEqual(['breaker']);
  });
});

describe('of groups of jobs', () => {
  const LATE = 150_000;
  const batch = 'batch import';
  const member = (change: Partial<JobDocument> = {}) =>
    completed({ _id: 'import.000000', group: batch, ...change });
  const lastJob = (picked: number, change: Partial<JobDocument> = {}) =>
    completed({
      _id: 'import.then',
      after: [{ on: batch, when: 'settled' }],
      picked: at(picked),
      completed: at(picked + 100),
      ...change,
    });
  const withRuns = (jobs: JobDocument[], now = 2 * LATE) =>
    evidence({
      jobs,
      now: at(now),
      notes: [],
      runs: jobs.flatMap(({ _id, picked, status }) =>
        picked === undefined || status === 'queued'
          ? []
          : run({
              _id: `run of ${_id}`,
              job: _id,
              notBefore: picked,
              began: { ...held('token', 0, 0), _id, picked, at: picked },
              ended: { how: 'returned', sighting: { ...held('token', 0, 0), _id, picked, at: picked } },
            }),
      ),
    });
  const only = (given: Evidence) =>
    broken(given).filter((rule) => ['started early', 'parked', 'outlived'].includes(rule));

  test('the job after a batch starts once all of it has ended', () => {
    expect(only(withRuns([member(), lastJob(300)]))).toEqual([]);
  });
  test('the job after a batch starts before the last job has ended', () => {
    expect(
      only(withRuns([member(), member({ _id: 'import.000001', completed: at(350) }), lastJob(300)])),
    ).toEqual(['started early']);
  });
  test('the job after a batch waits for minutes though all of it has ended', () => {
    expect(only(withRuns([member(), lastJob(LATE)]))).toEqual(['parked']);
  });
  test('a parent waits for minutes though its children have ended', () => {
    const steps = {
      run: 1,
      waits: [{ name: 'all', kind: 'children', on: 'children p', began: at(0) }],
    } as const;
    const parent = completed({ _id: 'parent', status: 'queued', steps });
    const { completed: _, ...waiting } = parent;
    const child = completed({ _id: 'parent:1', group: 'children p', parents: ['parent'] });
    expect(only(withRuns([waiting, child], 60_000))).toEqual([]);
    expect(only(withRuns([waiting, child]))).toEqual(['parked']);
  });
  test('a child begins minutes after its parent has ended, or never ends', () => {
    const parent = completed({ _id: 'parent' });
    const child = completed({ _id: 'parent:1', group: 'children p', parents: ['parent'] });
    const late = { ...child, picked: at(LATE + 300), completed: at(LATE + 400) };
    const { completed: _, ...open } = { ...child, status: 'queued' } as const;
    expect(only(withRuns([parent, child]))).toEqual([]);
    expect(only(withRuns([parent, late]))).toEqual(['outlived']);
    expect(only(withRuns([parent, open]))).toEqual(['outlived']);
  });
});
