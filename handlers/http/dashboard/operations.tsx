import { Hono } from 'hono';
import { connectedCollections } from '../../../src/collections/connected-collections.js';
import type { JobConditions, RemoteProcessor } from '../../../src/index.js';
import { isSettled } from '../../../src/job/job.js';
import { countMatching } from '../../../src/job/list-jobs.js';
import { isReversible } from '../../../src/operation/operations.js';
import { Problem } from '../problem.js';
import { isBulkAction, refusal } from './bulk.js';
import { askToConfirm, isConfirmed } from './confirmation.js';
import type { DashboardEnvironment } from './environment.js';
import { conditionsOf, endOf, type JobFilter, readFilter } from './job-filter.js';
import { redirectWith } from './notice.js';
import { OperationPage } from './operation-page.js';
import { actionText, conditionsText } from './operation-words.js';
import { OperationsPage } from './operations-page.js';
import { showPage } from './page.js';
import { capped } from './parts/number.js';
import { jobsPath, operationPath, operationsPath } from './paths.js';
import { may, requireRole } from './require-session.js';

const PAGE_SIZE = 20;

/** Field of a form with the moment at which its sender saw the jobs to remove. */
const SEEN = 'seen';

export function operationRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const cursor = context.req.query('cursor') || undefined;
      const page = await processor.operations.list({ limit: PAGE_SIZE, cursor });
      return showPage(context, {
        title: 'Operations',
        section: operationsPath,
        children: <OperationsPage {...page} isFirst={cursor === undefined} now={new Date()} />,
      });
    })
    .post('/', requireRole('write'), async (context) => {
      const form = context.get('form');
      const { id: by, role: callerRole } = context.get('session').caller;
      const action = form.get('action');
      if (!isBulkAction(action))
        throw new Problem('validation_failed', { detail: 'Expected an action: retry, cancel or remove.' });
      if (action === 'remove' && !may(context.get('session'), 'admin'))
        throw new Problem('forbidden', { detail: "The role 'admin' is required to remove jobs." });
      const shown = readFilter(Object.fromEntries(form));
      const filter = conditionsOf(shown);
      if (shown.failed !== undefined && !isSettled(filter.status ?? 'queued'))
        throw new Problem('validation_failed', {
          detail: 'Expected the status of jobs that have ended beside failed.',
        });
      const seen = form.get(SEEN);
      const now = seen === null ? new Date() : new Date(seen);
      const ended = endOf(shown, now);
      if (!isReversible({ action, filter }) && !isConfirmed(form)) {
        const { jobs } = await processor[connectedCollections]();
        const total = await countMatching(jobs, { ...filter, ...ended });
        const many = total.count === 1 && !total.isCapped ? 'the only job' : `all ${capped(total)} jobs`;
        const label = action === 'remove' ? 'Remove' : 'Cancel';
        form.set(SEEN, new Date().toISOString());
        return askToConfirm(context, {
          question: `${label} ${many} (${textOf(filter, shown)})? This cannot be undone.`,
          label,
          section: '/dashboard/jobs',
          back: jobsPath(shown),
        });
      }
      const { endedAfter, endedBefore = seen === null ? undefined : now } = ended;
      const { id } = await processor.operations.start(
        { action, filter, endedBefore, endedAfter },
        { by, callerRole },
      );
      return redirectWith(context, operationPath(id), { kind: 'done', text: 'Begun.' });
    })
    .get('/:id', async (context) => {
      const operation = await processor.operations.get(context.req.param('id'));
      return showPage(context, {
        title: `${actionText(operation)}: ${operation.state}`,
        section: operationsPath,
        children: <OperationPage operation={operation} session={context.get('session')} now={new Date()} />,
      });
    })
    .post('/:id', requireRole('write'), async (context) => {
      const id = context.req.param('id');
      const action = context.get('form').get('action');
      if (action !== 'stop' && action !== 'undo')
        throw new Problem('validation_failed', { detail: 'Expected an action: stop or undo.' });
      try {
        const { state } = await processor.operations[action](id);
        return redirectWith(context, operationPath(id), { kind: 'done', text: `It is ${state}.` });
      } catch (error) {
        return redirectWith(context, operationPath(id), {
          kind: 'problem',
          text: `Not done: ${refusal(error)}`,
        });
      }
    });
}

function textOf(filter: JobConditions, { failed }: JobFilter): string {
  return failed === undefined ? conditionsText(filter) : `${conditionsText(filter)}, failed ${failed}`;
}
