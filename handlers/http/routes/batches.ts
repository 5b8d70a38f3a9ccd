import * as z from 'zod';
import { addBatch, newBatch } from '../add-groups.js';
import { idOf, nextCursor } from '../fields.js';
import {
  batchResults,
  batchView,
  exampleProgress,
  groupAddition,
  groupPage,
  resultsDescription,
  resultsQuery,
  toBatchView,
  toGroupFilter,
  toResultViews,
} from '../group-view.js';
import { defineRoute } from '../route.js';
import { resultsSeenBy } from '../seen-by.js';
import { groupChanges } from './group-changes.js';

const batch = { ...exampleProgress, then: { id: 'import-7.then', when: 'completed' } };

const add = defineRoute({
  method: 'POST',
  path: '/v1/batches',
  operation: 'addBatch',
  isTraffic: true,
  role: 'write',
  summary: 'Add a batch',
  description:
    'Jobs that are watched together, and a job that runs once after all of them. All are checked before the first is stored. If an answer does not arrive, send the same again with the same `id` or the same Idempotency-Key, which goes on where it ended. The ids of the jobs are that of the batch, a dot and their number of six digits.',
  asks: () => z.object({ body: newBatch }),
  bodyExample: {
    id: 'import-7',
    jobs: [
      { name: 'echo', input: { n: 1 } },
      { name: 'echo', input: { n: 2 } },
    ],
    then: { name: 'echo', input: { all: true } },
    concurrency: 5,
  },
  reply: {
    status: 202,
    description: 'The jobs are stored, and will run.',
    schema: () => groupAddition,
    headers: { location: 'Where the batch is.' },
    example: { id: 'import-7', outcome: 'added' },
  },
  problems: ['conflict', 'unknown_job_name'],
  jobCount: () => 1,
  async answer({ body }, circumstances) {
    const added = await addBatch(body, circumstances);
    return { body: added, headers: { location: `/v1/batches/${encodeURIComponent(added.id)}` } };
  },
});

const list = defineRoute({
  method: 'GET',
  path: '/v1/batches',
  operation: 'listBatches',
  isList: true,
  role: 'read',
  summary: 'List batches',
  asks: () => z.object({ query: groupPage }),
  reply: {
    status: 200,
    description: 'A page of batches, the newest first. `cursor` is null at the end.',
    schema: () => z.object({ batches: z.array(batchView), cursor: nextCursor }),
    example: { batches: [batch], cursor: null },
  },
  async answer({ query }, { processor, maxBytes }) {
    const { batches, cursor = null } = await processor.batches.list({ ...toGroupFilter(query), maxBytes });
    return { body: { batches: batches.map(toBatchView), cursor } };
  },
});

const get = defineRoute({
  method: 'GET',
  path: '/v1/batches/{id}',
  operation: 'getBatch',
  role: 'read',
  summary: 'Show how far a batch has come',
  asks: () => z.object({ parameters: idOf('a batch') }),
  reply: { status: 200, description: 'The batch.', schema: () => batchView, example: batch },
  problems: ['not_found'],
  async answer({ parameters: { id } }, { processor }) {
    return { body: toBatchView(await processor.batches.get(id)) };
  },
});

const results = defineRoute({
  method: 'GET',
  path: '/v1/batches/{id}/results',
  operation: 'listBatchResults',
  isList: true,
  role: 'read',
  summary: 'Show how the jobs of a batch ended',
  description: resultsDescription,
  asks: () => z.object({ parameters: idOf('a batch'), query: resultsQuery }),
  reply: {
    status: 200,
    description: 'A page of results, in the order in which the jobs were given. `cursor` is null at the end.',
    schema: () => batchResults,
    example: {
      results: [
        {
          index: 0,
          id: 'import-7.000000',
          jobName: 'echo',
          status: 'completed',
          output: { n: 1 },
          error: null,
          leftOut: [],
        },
      ],
      cursor: null,
    },
  },
  problems: ['not_found'],
  async answer({ parameters: { id }, query }, { processor, callerRole, maxBytes }) {
    const { results: found, cursor = null } = await processor.batches.listResults(id, { ...query, maxBytes });
    const results = await resultsSeenBy({ processor, callerRole }, found);
    return { body: { results: toResultViews(results, maxBytes), cursor } };
  },
});

const changes = groupChanges({
  one: 'batch',
  many: 'batches',
  title: 'Batch',
  cancelled: 'Queued jobs are cancelled at once, with the job that waits for the batch.',
  exampleId: 'import-7',
});

export const batchRoutes = [add, list, get, results, ...changes];
