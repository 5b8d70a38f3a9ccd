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
/** The number of rows to ask for. No screen shows more. */
const ROWS = 100;

const snapshotShape = z.looseObject({
  ...countsShape.shape,
  ...statisticsShape.shape,
  queues: queuesShape.shape.queues,
  workers: workersShape.shape.workers,
  errors: z.array(jobShape),
});

/** The state of everything at one moment. */
export type Snapshot = z.output<typeof snapshotShape>;

/** Asks the app for everything that is watched. @throws CommandFailure */
export async function takeSnapshot(api: Api): Promise<Snapshot> {
  const [counts, statistics, queues, workers, jobs] = await Promise.all([
    api.get('/v1/counts'),
    api.get('/v1/statistics', { since: SINCE, step: STEP }),
    api.get('/v1/queues', { limit: ROWS }),
    api.get('/v1/workers', { limit: ROWS }),
    api.get('/v1/jobs', { status: 'error', limit: ERRORS, brief: 'true' }),
  ]);
  return {
    ...read(counts, countsShape),
    ...read(statistics, statisticsShape),
    queues: read(queues, queuesShape).queues,
    workers: read(workers, workersShape).workers,
    errors: read(jobs, z.looseObject({ jobs: z.array(jobShape) })).jobs,
  };
}
