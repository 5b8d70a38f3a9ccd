import * as z from 'zod';
import { addWorkflow, newWorkflow } from '../add-groups.js';
import { idOf, nextCursor } from '../fields.js';
import {
  exampleProgress,
  groupAddition,
  groupPage,
  resultsDescription,
  resultsQuery,
  toGroupFilter,
  toResultViews,
  toWorkflowView,
  workflowResults,
  workflowView,
} from '../group-view.js';
import { defineRoute } from '../route.js';
import { resultsSeenBy } from '../seen-by.js';
import { groupChanges } from './group-changes.js';

const progress = { ...exampleProgress, id: 'nightly' };
const job = {
  after: [],
  when: 'completed',
  status: 'queued',
  isWaiting: false,
  started: null,
  completed: null,
  error: null,
};
const workflow = {
  ...progress,
  size: 2,
  jobs: [
    { ...job, name: 'extract', jobName: 'echo', id: 'nightly.extract', status: 'processing' },
    { ...job, name: 'load', jobName: 'echo', id: 'nightly.load', after: ['extract'], isWaiting: true },
  ],
};

const add = defineRoute({
  method: 'POST',
  path: '/v1/workflows',
  operation: 'addWorkflow',
  isTraffic: true,
  role: 'write',
  summary: 'Add a workflow',
  description:
    'Jobs that run after each other, as they say. All are checked before the first is stored, also whether a result can be the input that it stands for, and all are stored at once. A job whose input has a result of another one waits for it. The id of each job is that of the workflow, a dot and its name.',
  asks: () => z.object({ body: newWorkflow }),
  bodyExample: {
    id: 'nightly',
    jobs: {
      extract: { name: 'echo', input: { day: '2026-01-31' } },
      load: { name: 'echo', input: { rows: { $resultOf: 'extract', path: 'rows' } } },
      report: { name: 'echo', input: {}, after: ['load'], when: 'settled' },
    },
  },
  reply: {
    status: 202,
    description: 'The jobs are stored, and will run.',
    schema: () => groupAddition,
    headers: { location: 'Where the workflow is.' },
    example: { id: 'nightly', outcome: 'added' },
  },
  problems: ['conflict', 'unknown_job_name'],
  jobCount: () => 1,
  async answer({ body }, circumstances) {
    const added = await addWorkflow(body, circumstances);
    return { body: added, headers: { location: `/v1/workflows/${encodeURIComponent(added.id)}` } };
  },
});

const list = defineRoute({
  method: 'GET',
  path: '/v1/workflows',
  operation: 'listWorkflows',
  isList: true,
  role: 'read',
  summary: 'List workflows',
  asks: () => z.object({ query: groupPage }),
  reply: {
    status: 200,
    description: 'A page of workflows, the newest first. `cursor` is null at the end.',
    schema: () => z.object({ workflows: z.array(workflowView), cursor: nextCursor }),
    example: { workflows: [workflow], cursor: null },
  },
  async answer({ query }, { processor, maxBytes }) {
    const { workflows, cursor = null } = await processor.workflows.list({
      ...toGroupFilter(query),
      maxBytes,
    });
    return { body: { workflows: workflows.map(toWorkflowView), cursor } };
  },
});

const get = defineRoute({
  method: 'GET',
  path: '/v1/workflows/{id}',
  operation: 'getWorkflow',
  role: 'read',
  summary: 'Show how far a workflow has come',
  asks: () => z.object({ parameters: idOf('a workflow') }),
  reply: { status: 200, description: 'The workflow.', schema: () => workflowView, example: workflow },
  problems: ['not_found'],
  async answer({ parameters: { id } }, { processor }) {
    return { body: toWorkflowView(await processor.workflows.get(id)) };
  },
});

const results = defineRoute({
  method: 'GET',
  path: '/v1/workflows/{id}/results',
  operation: 'listWorkflowResults',
  isList: true,
  role: 'read',
  summary: 'Show how the jobs of a workflow ended',
  description: resultsDescription,
  asks: () => z.object({ parameters: idOf('a workflow'), query: resultsQuery }),
  reply: {
    status: 200,
    description: 'A page of results, by the names of the jobs. `cursor` is null at the end.',
    schema: () => workflowResults,
    example: {
      results: [
        {
          name: 'extract',
          id: 'nightly.extract',
          jobName: 'echo',
          status: 'completed',
          output: { rows: [1, 2] },
          error: null,
          leftOut: [],
        },
      ],
      cursor: null,
    },
  },
  problems: ['not_found'],
  async answer({ parameters: { id }, query }, { processor, callerRole, maxBytes }) {
    const { results: found, cursor = null } = await processor.workflows.listResults(id, {
      ...query,
      maxBytes,
    });
    const results = await resultsSeenBy({ processor, callerRole }, found);
    return { body: { results: toResultViews(results, maxBytes), cursor } };
  },
});

const changes = groupChanges({
  one: 'workflow',
  many: 'workflows',
  title: 'Workflow',
  cancelled: 'Jobs that are queued or wait are cancelled at once.',
  exampleId: 'nightly',
});

export const workflowRoutes = [add, list, get, results, ...changes];
