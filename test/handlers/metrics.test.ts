import { afterEach, expect, test, vi } from 'vitest';
import {
  cloudWatchMetrics,
  type Metric,
  refused,
  schedulerMetrics,
  workerMetrics,
} from '../../handlers/metrics.js';
import { contextOf } from './events.js';

afterEach(() => void vi.restoreAllMocks());

const summary = {
  claimed: 10,
  completed: 1,
  retried: 2,
  errors: 3,
  cancelled: 4,
  snoozed: 5,
  suspended: 12,
  givenBack: 6,
  stale: 7,
  unsettled: 8,
  abandoned: 9,
  remaining: 10,
};

test('figures become one line in the embedded metric format of CloudWatch', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const context = contextOf(1_000);

  cloudWatchMetrics('all')(context, [
    ['Claimed', 'Count', 3],
    ['Duration', 'Milliseconds', 250],
  ]);

  expect(write).toHaveBeenCalledOnce();
  expect(JSON.parse(`${write.mock.calls[0]?.[0]}`)).toEqual({
    _aws: {
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [
        {
          Namespace: 'remote-processor',
          Dimensions: [['service']],
          Metrics: [
            { Name: 'Claimed', Unit: 'Count' },
            { Name: 'Duration', Unit: 'Milliseconds' },
          ],
        },
      ],
    },
    service: 'the-function',
    requestId: context.awsRequestId,
    Claimed: 3,
    Duration: 250,
  });
});

test('unless told otherwise, those that the alarms need are metrics, and the others stand in the line', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const lineOf = (metrics: readonly Metric[]) => {
    cloudWatchMetrics('alarms')(contextOf(1_000), metrics);
    return JSON.parse(`${write.mock.calls.at(-1)?.[0]}`);
  };
  const namesOf = (metrics: readonly Metric[]) =>
    lineOf(metrics)._aws.CloudWatchMetrics[0].Metrics.map(({ Name }: { Name: string }) => Name);

  expect(namesOf(workerMetrics(summary, 250))).toEqual(['Errors']);
  expect(namesOf(schedulerMetrics({ made: 1, recovered: 2, waiting: [], blocked: 3 }, 250))).toEqual([
    'OldestWaiting',
    'OldestUnclaimed',
  ]);
  expect(namesOf([refused])).toEqual(['Refused']);
  expect(lineOf(workerMetrics(summary, 250))).toMatchObject({ Claimed: '10', Retried: '2', Duration: '250' });
});

test('a worker publishes all of its summary, and how long it took', () => {
  const metrics = workerMetrics(summary, 250);

  expect(metrics.map(([name, , value]) => [`${name[0]?.toLowerCase()}${name.slice(1)}`, value])).toEqual(
    Object.entries({ ...summary, duration: 250 }),
  );
});

test('a scheduler publishes the longest wait of any priority, in seconds, and that of jobs it has no code for', () => {
  const job = { id: 'a', jobName: 'echo', queue: 'default' };
  const waiting = [
    { ...job, priority: 9, waitedMs: 90_000, claimable: false },
    { ...job, priority: 5, waitedMs: 600_400, claimable: true },
    { ...job, priority: 0, waitedMs: 30_000, claimable: false },
  ];

  expect(schedulerMetrics({ made: 1, recovered: 2, waiting, blocked: 3 }, 250)).toEqual([
    ['Made', 'Count', 1],
    ['Recovered', 'Count', 2],
    ['Blocked', 'Count', 3],
    ['OldestWaiting', 'Seconds', 600],
    ['OldestUnclaimed', 'Seconds', 90],
    ['Duration', 'Milliseconds', 250],
  ]);
});
