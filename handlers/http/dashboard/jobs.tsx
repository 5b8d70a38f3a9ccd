import { type Context, Hono } from 'hono';
import { isKind } from '../../../src/brand.js';
import { connectedCollections } from '../../../src/collections/connected-collections.js';
import { NotFoundError, type RemoteProcessor } from '../../../src/index.js';
import { findStepsWithin } from '../../../src/job/find-steps.js';
import { maxBytesFor } from '../answer-size.js';
import { targetOf } from '../audit/targets.js';
import { Problem } from '../problem.js';
import { jobSeenBy, jobsSeenBy, type Onlooker, stepsSeenBy } from '../seen-by.js';
import { returnPath } from '../session/return-path.js';
import { toStepsView } from '../steps-view.js';
import { act, isBulkAction } from './bulk.js';
import { askToConfirm, isConfirmed } from './confirmation.js';
import { findDeeds } from './deeds.js';
import type { DashboardEnvironment } from './environment.js';
import { changeJob } from './job-changes.js';
import { findChildren } from './job-family.js';
import { conditionsOf, endOf, readFilter } from './job-filter.js';
import { JobPage } from './job-page.js';
import { JobsPage } from './jobs-page.js';
import { mayAddJob } from './may-add.js';
import { redirectWith } from './notice.js';
import { showPage } from './page.js';
import { grouped } from './parts/number.js';
import { jobPath, jobsPath } from './paths.js';
import { may, requireRole } from './require-session.js';
import { readSearch } from './search-words.js';
import { sendSignal } from './send-signal.js';
import { findWaits } from './why-it-waits.js';

type PageContext = Context<DashboardEnvironment>;

const section = '/dashboard/jobs';

const PAGE_SIZE = 50;

/** Maximum number of ticked jobs, on this page of the list and on others. */
const MAX_TICKED = 500;

export function jobRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const { cursor, q: text = '', ...query } = context.req.query();
      const filter = readFilter(query);
      const search = readSearch(text);
      if (text !== '' && 'filter' in search)
        return context.redirect(jobsPath({ ...filter, ...search.filter }), 303);
      const problems = 'problems' in search ? search.problems : [];
      const now = new Date();
      const { order, failureKey } = filter;
      const [page, names, failure] = await Promise.all([
        processor.jobs.list({
          ...conditionsOf(filter),
          ...endOf(filter, now),
          ...{ order, cursor },
          limit: PAGE_SIZE,
          brief: true,
        }),
        processor.factories.names(),
        failureKey === undefined ? undefined : findMessage(failureKey),
      ]);
      return showPage(context, {
        title: 'Jobs',
        section,
        status: problems.length > 0 ? 422 : 200,
        children: (
          <JobsPage
            {...page}
            jobs={await jobsSeenBy(onlooker(context), page.jobs)}
            filter={filter}
            isFirst={cursor === undefined}
            names={names}
            failure={failure}
            search={{ text, problems }}
            session={context.get('session')}
            here={pathOf(context)}
            now={now}
          />
        ),
      });
    })
    .post('/', requireRole('write'), async (context) => {
      const form = context.get('form');
      const action = form.get('action');
      if (!isBulkAction(action)) throw new Problem('validation_failed', { detail: 'Expected an action.' });
      if (action === 'remove' && !may(context.get('session'), 'admin')) {
        throw new Problem('forbidden', { detail: "The role 'admin' is required to remove jobs." });
      }
      const ids = form.getAll('id');
      if (ids.length > MAX_TICKED) throw new Problem('validation_failed', { detail: tooMany(ids.length) });
      if (action === 'remove' && ids.length > 0 && !isConfirmed(form)) {
        const question =
          ids.length === 1 ? 'Remove this job for good?' : `Remove ${ids.length} jobs for good?`;
        return askToConfirm(context, { question, label: 'Remove', section, back: originOf(form) });
      }
      const { notice, changed } = await act(processor, action, ids, context.get('session').caller.role);
      context.set(
        'changed',
        changed.map((id) => targetOf('jobs', id)),
      );
      return redirectWith(context, backPath(form), notice);
    })
    .get('/:id', async (context) => {
      const id = context.req.param('id');
      const session = context.get('session');
      const [job, log] = await Promise.all([requireJob(context, id), processor.jobs.log(id)]);
      const [mayAdd, waits, steps, below, failing, deeds] = await Promise.all([
        mayAddJob(processor, session, job.jobName),
        findWaits(processor, job),
        job.steps && findSteps(id, 0),
        findChildren(processor, job),
        job.failureKey === undefined ? undefined : processor.failures.countFailing(job.failureKey),
        findDeeds(processor, targetOf('jobs', id)),
      ]);
      const shown = { job, log, waits, steps, below, failing, deeds, session, mayAdd };
      return showPage(context, {
        title: `${job.jobName} ${job.status}`,
        section,
        children: <JobPage {...shown} isRaw={context.req.query('view') === 'raw'} now={new Date()} />,
      });
    })
    .post('/:id/changes', requireRole('write'), async (context) => {
      const job = await requireJob(context, context.req.param('id'));
      const { role } = context.get('session').caller;
      const notice = await changeJob(processor, job, context.get('form'), role);
      return redirectWith(context, jobPath(job.id), notice);
    })
    .post('/:id/signals', requireRole('write'), async (context) => {
      const id = context.req.param('id');
      const { role } = context.get('session').caller;
      return redirectWith(context, jobPath(id), await sendSignal(processor, id, context.get('form'), role));
    })
    .get('/:id/steps.json', async (context) => {
      const maxBytes = maxBytesFor(context.env);
      context.header('content-disposition', 'attachment; filename="steps.json"');
      const id = context.req.param('id');
      const steps = await stepsSeenBy(onlooker(context), id, await findSteps(id, maxBytes));
      return context.json(toStepsView(steps, maxBytes));
    })
    .get('/:id/:part{(input|output)\\.json}', async (context) => {
      const job = await requireJob(context, context.req.param('id'));
      const part = context.req.param('part') === 'input.json' ? 'input' : 'output';
      context.header('content-disposition', `attachment; filename="${part}.json"`);
      return context.json(job[part] ?? null);
    });

  function onlooker(context: PageContext): Onlooker {
    return { processor, callerRole: context.get('session').caller.role };
  }

  /** Finds the steps of a job. If `maxBytes` is 0, results and payloads are left out. */
  async function findSteps(id: string, maxBytes: number) {
    return findStepsWithin(await processor[connectedCollections](), id, maxBytes);
  }

  /** Returns the message of a failure. Undefined if the message is forgotten, or not written yet. */
  async function findMessage(failureKey: string): Promise<string | undefined> {
    try {
      return (await processor.failures.get(failureKey)).message;
    } catch (error) {
      if (isKind(error, NotFoundError)) return undefined;
      throw error;
    }
  }

  /** Returns a job as the user may see it. @throws NotFoundError */
  async function requireJob(context: PageContext, id: string) {
    const job = await processor.getJob(id);
    if (job) return jobSeenBy(onlooker(context), job);
    throw new NotFoundError('job', id);
  }
}

function tooMany(count: number): string {
  return `Expected at most ${MAX_TICKED} ticked jobs, not ${grouped(count)}. To change more, filter the list, and use the buttons for all that match.`;
}

/**
 * Returns the path of the page with the button. After a removal, returns the path of the list, since the job has no
 * page then.
 */
function backPath(form: URLSearchParams): string {
  return form.get('action') === 'remove' ? listOf(form) : originOf(form);
}

function originOf(form: URLSearchParams): string {
  const [id, ...others] = form.getAll('id');
  const isOfJob = form.get('from') === 'job' && id !== undefined && others.length === 0;
  return isOfJob ? jobPath(id) : listOf(form);
}

function listOf(form: URLSearchParams): string {
  const path = returnPath(form.get('here'));
  return path === '/' ? section : path;
}

function pathOf({ req }: PageContext): string {
  const { pathname, search } = new URL(req.url);
  return pathname + search;
}
