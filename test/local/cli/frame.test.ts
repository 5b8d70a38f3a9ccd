import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { plain } from '../../../local/cli/output/paint.js';
import { drawFrame } from '../../../local/cli/watch/frame.js';
import type { Snapshot } from '../../../local/cli/watch/snapshot.js';

const moment = '2026-01-31T09:05:06.123Z';
const none = { snoozed: 0, suspended: 0, givenBack: 0, stale: 0 };

const snapshot: Snapshot = {
  counts: {
    queued: { count: 12, isCapped: false },
    processing: { count: 3, isCapped: false },
    completed: { count: 10_000, isCapped: true },
  },
  waits: [],
  statistics: [
    { at: moment, completed: 0, errors: 0, cancelled: 0, retried: 0, ...none, durationMs: 0 },
    { at: moment, completed: 40, errors: 1, cancelled: 0, retried: 0, ...none, durationMs: 4100 },
    { at: moment, completed: 80, errors: 0, cancelled: 0, retried: 0, ...none, durationMs: 8000 },
  ],
  queues: Array.from({ length: 20 }, (_, index) => ({
    name: `queue ${index} with a long name 日本語`,
    ready: { count: index, isCapped: false },
    delayed: { count: 0, isCapped: false },
    oldest: null,
    paused: index === 1 ? moment : null,
  })),
  workers: [{ processor: 'root', maxThreads: 10, queues: null, started: moment, expires: moment }],
  errors: [
    {
      id: '697dc4a2f1e2d3c4b5a69788',
      jobName: 'webhook',
      queue: 'default',
      priority: 0,
      status: 'error',
      input: null,
      output: null,
      progress: null,
      errors: [{ at: moment, message: 'Got \u001b[31m500', attempt: 1, stack: null, causes: [] }],
      runAt: moment,
      created: moment,
      started: moment,
      completed: moment,
      cancelRequested: null,
      retryCounter: 1,
      maxRetries: 3,
      uniqueKey: null,
      keys: [],
      attempts: [],
      blockedBy: null,
      postponedBy: null,
      group: null,
      parents: null,
      waitsFor: null,
      steps: null,
      occurrence: null,
    },
  ],
};

test('a frame shows counts, throughput, queues, workers and the latest errors', () => {
  const lines = drawFrame(snapshot, { width: 100, height: 40, title: 'database jobs', paint: plain });
  const text = lines.join('\n');

  expect(lines[0]).toBe('database jobs  q quits');
  expect(text).toContain('queued 12  processing 3  completed 10,000+');
  expect(text).toContain('24.0 completed and 0.2 failed a minute, 100ms on average');
  expect(text).toMatch(/\ncompleted +▄█\nerrors +█ *\n/);
  expect(text).toMatch(/\nqueue 1 with a long name 日本語 +1 +0 .* ago\n/);
  expect(text).toContain('… and 12 more');
  expect(text).toMatch(/\nroot +10 .* all/);
  expect(text).toMatch(/\n697dc4a2f1e2d3c4b5a69788 +webhook .* Got \\u\{1b\}\[31m500/);
});

test('attempts that were suspended are shown where there are any', () => {
  const [point] = snapshot.statistics;
  const statistics = point ? [{ ...point, completed: 10, suspended: 5 }] : [];
  const lines = drawFrame(
    { ...snapshot, statistics },
    { width: 90, height: 24, title: 'jobs', paint: plain },
  );
  expect(lines.join('\n')).toContain('2.0 completed and 0.0 failed, 1.0 suspended a minute');
});

test.each([
  [40, 12],
  [60, 24],
  [200, 100],
])('a frame has exactly the size of a terminal of %i columns and %i lines', (width, height) => {
  const lines = drawFrame(snapshot, {
    width,
    height,
    title: 'x'.repeat(300),
    problem: 'y'.repeat(300),
    paint: plain,
  });

  expect(lines).toHaveLength(height);
  expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width);
});

test('a terminal without room for the whole hour shows its end', () => {
  const width = 40;
  const hour = Array.from({ length: 60 }, (_, minute) => ({
    ...{ at: moment, completed: minute === 59 ? 8 : 0, errors: 0, cancelled: 0, retried: 0 },
    ...{ ...none, durationMs: 0 },
  }));
  const lines = drawFrame(
    { ...snapshot, statistics: hour },
    { width, height: 40, title: 'jobs', paint: plain },
  );
  expect(lines.join('\n')).toMatch(/\ncompleted {30}█\n/);
});

test('the ids of jobs that failed are whole, however narrow the terminal is', () => {
  const lines = drawFrame(snapshot, { width: 40, height: 40, title: 'jobs', paint: plain });
  expect(lines.join('\n')).toMatch(/\n697dc4a2f1e2d3c4b5a69788 .*Got/);
});

test('a problem stands above what was known before', () => {
  const problem = 'The database cannot be reached';
  const lines = drawFrame(snapshot, { width: 80, height: 24, title: 'jobs', problem, paint: plain });
  expect(lines[1]).toBe(problem);
  expect(lines.join('\n')).toContain('queued 12');
});
