import { type Context, Hono } from 'hono';
import type { JobFactoryInfo, RemoteProcessor } from '../../../src/index.js';
import { toProblem } from '../failure.js';
import { Problem } from '../problem.js';
import { jobSeenBy, withValuesOf } from '../seen-by.js';
import type { Session } from '../session/session.js';
import { additionNotice, addJob } from './add-job.js';
import type { DashboardEnvironment } from './environment.js';
import { type Change, readChange, withList } from './form/change.js';
import { fits } from './form/fits.js';
import { AddJobForm, type Draft, inputField, readDraft } from './job-form.js';
import { redirectWith } from './notice.js';
import { showPage } from './page.js';
import { PageLinks } from './parts/page-links.js';
import { jobPath } from './paths.js';
import { may, requireRole } from './require-session.js';

type PageContext = Context<DashboardEnvironment>;

export function jobFactoryRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const cursor = context.req.query('cursor') || undefined;
      const page = await processor.factories.list({ cursor });
      return showPage(context, {
        title: 'Add a job',
        section: '/dashboard/job-factories',
        children: (
          <FactoryList
            factories={page.jobFactories}
            cursor={page.cursor}
            isFirst={cursor === undefined}
            session={context.get('session')}
          />
        ),
      });
    })
    .get('/:name', async (context) => {
      const factory = await requireFactory(context.req.param('name'));
      return showForm(context, factory, await firstDraft(context, factory, context.req.query('from')));
    })
    .post('/:name', requireRole('write'), async (context) => {
      const factory = await requireFactory(context.req.param('name'));
      const form = context.get('form');
      const draft = readDraft(factory, form);
      const change = readChange(form);
      if (change) return showForm(context, factory, changed(factory, draft, change));
      if (draft.issues.length > 0) return showForm(context, factory, draft, 422);
      try {
        const input = await withStoredValues(factory, draft);
        const { role } = context.get('session').caller;
        const added = await addJob(processor, factory.name, { ...draft, input }, role);
        return redirectWith(context, jobPath(added.id), additionNotice(added));
      } catch (error) {
        const { issues } = toProblem(error).details;
        if (!issues) throw error;
        return showForm(context, factory, { ...draft, issues }, 422);
      }
    });

  async function requireFactory(name: string): Promise<JobFactoryInfo> {
    const factory = await processor.factories.get(name);
    if (factory) return factory;
    throw new Problem('unknown_job_name', { detail: `No job has the name '${name}'.` });
  }

  /** Returns an empty draft, or one with the input of another job. A person can run that job again with changes. */
  async function firstDraft(
    context: PageContext,
    factory: JobFactoryInfo,
    from: string | undefined,
  ): Promise<Draft> {
    const found = from === undefined ? undefined : await processor.getJob(from);
    const callerRole = context.get('session').caller.role;
    const job = found && (await jobSeenBy({ processor, callerRole }, found));
    const options = job && { queue: job.queue, priority: job.priority };
    return {
      input: job?.input,
      options,
      isJson: !fits(inputField(factory.inputSchema), job?.input),
      issues: [],
      ...(job && { from: job.id }),
    };
  }

  /**
   * Returns the input with stored values in place of the masks that the form showed. The values are those of the job
   * with which the form began.
   */
  async function withStoredValues({ name }: JobFactoryInfo, { input, from }: Draft): Promise<unknown> {
    const job = from === undefined ? undefined : await processor.getJob(from);
    return job?.jobName === name ? withValuesOf(processor, job, input) : input;
  }
}

/** Returns the changed draft. Its issues are not shown until the job is added. */
function changed({ inputSchema }: JobFactoryInfo, draft: Draft, change: Change): Draft {
  if (!('show' in change)) return { ...draft, input: withList(draft.input, change), issues: [] };
  const mustBeJson = draft.issues.length > 0 || !fits(inputField(inputSchema), draft.input);
  return { ...draft, isJson: change.show === 'json' || mustBeJson };
}

function showForm(context: PageContext, factory: JobFactoryInfo, draft: Draft, status: 200 | 422 = 200) {
  const session = context.get('session');
  return showPage(context, {
    title: `Add ${factory.name}`,
    section: '/dashboard/job-factories',
    status,
    children: (
      <AddJobForm factory={factory} draft={draft} session={session} mayAdd={may(session, factory.addRole)} />
    ),
  });
}

interface FactoryListProps {
  readonly factories: readonly JobFactoryInfo[];
  readonly cursor: string | undefined;
  readonly isFirst: boolean;
  readonly session: Session;
}

function FactoryList({ factories, cursor, isFirst, session }: FactoryListProps) {
  if (factories.length === 0 && isFirst) {
    return (
      <section class="card">
        <h1>No jobs are known yet</h1>
        <p class="quiet">
          Define one with <code>defineJob</code>, and register it: <code>processor.addJobFactory(job)</code>.
          In a deployment, list it in <code>handlers/jobs.ts</code>; it is here once a function has started.
        </p>
      </section>
    );
  }
  return (
    <>
      <h1>Add a job</h1>
      <p class="quiet">
        {may(session, 'write') ? 'Choose what is to be done.' : 'Your role lets you look, not add.'}
      </p>
      <ul class="tiles">
        {factories.map(({ name, addRole, defaults }) => (
          <li class="card">
            <a href={`/dashboard/job-factories/${encodeURIComponent(name)}`}>{name}</a>
            <p class="quiet">
              queue {defaults.queue}, priority {defaults.priority}, {defaults.maxRetries} attempts
              {addRole !== 'write' && `, added by the role ${addRole} only`}
            </p>
          </li>
        ))}
      </ul>
      <PageLinks first="/dashboard/job-factories" cursor={cursor} isFirst={isFirst} what="kinds of jobs" />
    </>
  );
}
