import { Hono } from 'hono';
import type { BatchInfo, RemoteProcessor } from '../../../src/index.js';
import { memberId } from '../../../src/job/group.js';
import { Problem } from '../problem.js';
import { refusal } from './bulk.js';
import { askToConfirm, isConfirmed } from './confirmation.js';
import type { DashboardEnvironment } from './environment.js';
import { batchKind, type GroupKindShown, workflowKind } from './group-kind.js';
import { GroupPage } from './group-page.js';
import { GroupsPage } from './groups-page.js';
import { type Notice, redirectWith } from './notice.js';
import { showPage } from './page.js';
import { grouped } from './parts/number.js';
import { may, requireRole } from './require-session.js';
import { WorkflowJobs } from './workflow-jobs.js';

const PAGE_SIZE = 20;

export function batchRoutes(processor: RemoteProcessor) {
  return changes(processor, batchKind)
    .get('/', async (context) => {
      const { cursor } = context.req.query();
      const { batches, ...page } = await processor.batches.list({ limit: PAGE_SIZE, cursor });
      const shown = { ...page, kind: batchKind, groups: batches, isFirst: cursor === undefined };
      return showPage(context, {
        title: batchKind.title,
        section: batchKind.path,
        children: <GroupsPage {...shown} now={new Date()} />,
      });
    })
    .get('/:id', async (context) => {
      const id = context.req.param('id');
      const group = await processor.batches.get(id);
      const failures = group.failed === 0 ? [] : await processor.batches.failures(id);
      const shown = { kind: batchKind, group, failures, ends: endsOf(group), last: group.then?.id };
      return showPage(context, {
        title: `Batch ${id} ${group.status}`,
        section: batchKind.path,
        children: <GroupPage {...shown} session={context.get('session')} now={new Date()} />,
      });
    });
}

export function workflowRoutes(processor: RemoteProcessor) {
  return changes(processor, workflowKind)
    .get('/', async (context) => {
      const { cursor } = context.req.query();
      const { workflows, ...page } = await processor.workflows.list({ limit: PAGE_SIZE, cursor });
      const shown = { ...page, kind: workflowKind, groups: workflows, isFirst: cursor === undefined };
      return showPage(context, {
        title: workflowKind.title,
        section: workflowKind.path,
        children: <GroupsPage {...shown} now={new Date()} />,
      });
    })
    .get('/:id', async (context) => {
      const id = context.req.param('id');
      const group = await processor.workflows.get(id);
      const failures = group.failed === 0 ? [] : await processor.workflows.failures(id);
      return showPage(context, {
        title: `Workflow ${id} ${group.status}`,
        section: workflowKind.path,
        children: (
          <GroupPage
            kind={workflowKind}
            group={group}
            failures={failures}
            session={context.get('session')}
            now={new Date()}
          >
            <WorkflowJobs jobs={group.jobs} />
          </GroupPage>
        ),
      });
    });
}

/** The form with which people cancel, retry and remove. */
function changes(processor: RemoteProcessor, kind: GroupKindShown) {
  return new Hono<DashboardEnvironment>().post('/', requireRole('write'), async (context) => {
    const form = context.get('form');
    const id = form.get('id') ?? '';
    const action = form.get('action');
    const { role } = context.get('session').caller;
    if (action !== 'remove') {
      const notice = await change(processor[kind.many], id, action, role).catch(asNotice);
      return redirectWith(context, kind.pathOf(id), notice);
    }
    if (!may(context.get('session'), 'admin'))
      throw new Problem('forbidden', { detail: `The role 'admin' is required to remove ${kind.many}.` });
    if (!isConfirmed(form)) {
      const question = `Remove this ${kind.one} with its jobs for good?`;
      return askToConfirm(context, {
        question,
        label: 'Remove',
        section: kind.path,
        back: kind.pathOf(id),
      });
    }
    await processor[kind.many].remove(id);
    return redirectWith(context, kind.path, { kind: 'done', text: `Removed: the ${kind.one} ${id}.` });
  });
}

type Groups = RemoteProcessor['batches'] | RemoteProcessor['workflows'];

/** Carries out what a form asks. @throws Problem, and errors of the processor */
async function change(
  groups: Groups,
  id: string,
  action: string | null,
  callerRole: Parameters<typeof requireRole>[0],
): Promise<Notice> {
  if (action === 'cancel')
    return { kind: 'done', text: `Cancelled, or asked to stop: ${jobsText(await groups.cancel(id))}.` };
  if (action === 'retry')
    return { kind: 'done', text: `Queued again: ${jobsText(await groups.retry(id, { callerRole }))}.` };
  throw new Problem('validation_failed', { detail: 'Expected an action: cancel, retry or remove.' });
}

function asNotice(reason: unknown): Notice {
  return { kind: 'problem', text: `Not done: ${refusal(reason)}` };
}

function jobsText(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'job' : 'jobs'}`;
}

/** Returns the ids of the first and the last job of a batch. */
function endsOf({ id, size }: BatchInfo): string[] {
  return [...new Set([0, size - 1])].filter((index) => index >= 0).map((index) => memberId(id, index));
}
