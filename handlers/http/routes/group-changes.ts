import * as z from 'zod';
import { idOf } from '../fields.js';
import { groupChange } from '../group-view.js';
import { defineRoute } from '../route.js';

/** The names of one kind of groups in the API. */
interface GroupNames {
  readonly one: 'batch' | 'workflow';
  readonly many: 'batches' | 'workflows';
  /** Name of the group as in the names of operations. */
  readonly title: 'Batch' | 'Workflow';
  /** Text about the jobs that do not run when a group is cancelled. */
  readonly cancelled: string;
  readonly exampleId: string;
}

/** Returns the routes that cancel, retry and remove batches, or workflows. */
export function groupChanges({ one, many, title, cancelled, exampleId }: GroupNames) {
  const parameters = idOf(`a ${one}`);
  const cancel = defineRoute({
    method: 'POST',
    path: `/v1/${many}/{id}/cancel`,
    operation: `cancel${title}`,
    role: 'write',
    summary: `Cancel a ${one}`,
    description: `${cancelled} Running ones are told to stop. So are all jobs that these have added.`,
    asks: () => z.object({ parameters }),
    reply: {
      status: 200,
      description: 'How many of its jobs were cancelled or told to stop.',
      schema: () => groupChange,
      example: { id: exampleId, changed: 2 },
    },
    problems: ['not_found'],
    async answer({ parameters: { id } }, { processor }) {
      return { body: { id, changed: await processor[many].cancel(id) } };
    },
  });
  const retry = defineRoute({
    method: 'POST',
    path: `/v1/${many}/{id}/retry`,
    operation: `retry${title}`,
    role: 'write',
    summary: `Queue the jobs of a ${one} again that failed or were cancelled`,
    description: `The caller must be allowed to add all kinds of jobs of the ${one}.`,
    asks: () => z.object({ parameters }),
    reply: {
      status: 200,
      description: 'How many of its jobs were queued again.',
      schema: () => groupChange,
      example: { id: exampleId, changed: 1 },
    },
    problems: ['not_found'],
    async answer({ parameters: { id } }, { processor, callerRole }) {
      return { body: { id, changed: await processor[many].retry(id, { callerRole }) } };
    },
  });
  const remove = defineRoute({
    method: 'DELETE',
    path: `/v1/${many}/{id}`,
    operation: `remove${title}`,
    role: 'admin',
    summary: `Remove a ${one} with its jobs`,
    asks: () => z.object({ parameters }),
    reply: { status: 204, description: 'Removed.', schema: () => z.undefined() },
    problems: ['not_found', 'conflict'],
    async answer({ parameters: { id } }, { processor }) {
      await processor[many].remove(id);
      return { body: undefined };
    },
  });
  return [cancel, retry, remove];
}
