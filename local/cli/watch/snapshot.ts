import * as z from 'zod';
import type { Api } from '../api/api.js';
import { workersShape } from '../commands/workers.js';
import { jobShape } from '../jobs/job-shape.js';
import { read } from '../output/output.js';
import { countsShape, queuesShape } from '../state/counts.js';
import { statisticsShape } from '../state/statistics.js';

const SINCE = '30m';
const STEP = '1m';
const ERRORS = 5;

const snapshotShape = z.looseObject({
  ...countsShape.shape,
  ...statisticsShape.shape,
  ...queuesShape.shape,
  ...workersShape.shape,
  errors: z.array(jobShape),
});

/** How everything stands at a moment. */
export type Snapshot = z.output<typeof snapshotShape>;

/** Asks the app for all that is watched. @throws CommandFailure */
export async function takeSnapshot(api: Api): Promise<Snapshot> {
  const [counts, statistics, queues, workers, jobs] = await Promise.all([
    api.get('/v1/counts'),
    api.get('/v1/statistics', { since: SINCE, step: STEP }),
    api.get('/v1/queues'),
    api.get('/v1/workers'),
    api.get('/v1/jobs', { status: 'error', limit: ERRORS }),
  ]);
  return {
    ...read(counts, countsShape),
    ...read(statistics, statisticsShape),
    ...read(queues, queuesShape),
    ...read(workers, workersShape),
    errors: read(jobs, z.looseObject({ jobs: z.array(jobShape) })).jobs,
  };
}
