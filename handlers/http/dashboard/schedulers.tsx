import { type Context, Hono } from 'hono';
import {
  ConflictError,
  type Issue,
  NotFoundError,
  type RemoteProcessor,
  type SchedulerItem,
  UnknownJobNameError,
  ValidationError,
} from '../../../src/index.js';
import type { Kick } from '../../kick.js';
import type { DashboardEnvironment } from './environment.js';
import { redirectWith } from './notice.js';
import { showPage } from './page.js';
import { jobPath, schedulerPath } from './paths.js';
import { may, requireRole } from './require-session.js';
import { SchedulerEditor } from './scheduler-editor.js';
import { SchedulerPage } from './scheduler-page.js';
import { SchedulerTable } from './scheduler-table.js';
import { changesBetween, editable, parseOptions, template } from './scheduler-text.js';

type PageContext = Context<DashboardEnvironment>;

const section = '/dashboard/schedulers';

/** Scheduler items: what makes jobs at set times. */
export function schedulerRoutes(processor: RemoteProcessor, kick: Kick) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const session = context.get('session');
      const items = await processor.getSchedulers();
      return showPage(context, {
        title: 'Schedules',
        section,
        children: <SchedulerTable items={items} session={session} now={new Date()} />,
      });
    })
    .get('/new', requireRole('write'), (context) => showNew(context, template(context.req.query('type')), []))
    .post('/new', requireRole('write'), async (context) => {
      const text = context.get('form').get('text') ?? '';
      try {
        const id = await processor.addScheduler(parseOptions(text));
        return redirectWith(context, schedulerPath(id), { kind: 'done', text: 'Added.' });
      } catch (error) {
        return showNew(context, text, issuesOf(error));
      }
    })
    .get('/:id', async (context) => {
      const item = await requireItem(context.req.param('id'));
      return showItem(context, item, editable(item), []);
    })
    .post('/:id/edit', requireRole('write'), async (context) => {
      const item = await requireItem(context.req.param('id'));
      const text = context.get('form').get('text') ?? '';
      try {
        await processor.updateScheduler(item.id, changesBetween(item, text));
        return redirectWith(context, schedulerPath(item.id), { kind: 'done', text: 'Saved.' });
      } catch (error) {
        return showItem(context, item, text, issuesOf(error));
      }
    })
    .post('/:id/activate', requireRole('write'), (context) =>
      act(context, 'Switched on.', (id) => processor.activateScheduler(id)),
    )
    .post('/:id/deactivate', requireRole('write'), (context) =>
      act(context, 'Switched off.', (id) => processor.deactivateScheduler(id)),
    )
    .post('/:id/run', requireRole('write'), async (context) => {
      const id = await processor.runNow(context.req.param('id'));
      await kick();
      return redirectWith(context, jobPath(id), { kind: 'done', text: 'This is the job that was added.' });
    })
    .post('/:id/remove', requireRole('admin'), async (context) => {
      await processor.removeScheduler(context.req.param('id'));
      return redirectWith(context, section, { kind: 'done', text: 'Removed. The jobs that it made stay.' });
    });

  async function requireItem(id: string): Promise<SchedulerItem> {
    const item = await processor.getScheduler(id);
    if (item) return item;
    throw new NotFoundError('scheduler item', id);
  }

  async function showItem(context: PageContext, item: SchedulerItem, text: string, issues: readonly Issue[]) {
    const occurrences = await processor.preview(item.id, 10);
    const session = context.get('session');
    return showPage(context, {
      title: item.title || item.id,
      section,
      status: issues.length > 0 ? 422 : 200,
      children: (
        <SchedulerPage
          item={item}
          occurrences={occurrences}
          text={text}
          issues={issues}
          session={session}
          now={new Date()}
        />
      ),
    });
  }
}

/** Does something to an item, and goes back to where the button was. */
async function act(context: PageContext, done: string, work: (id: string) => Promise<unknown>) {
  const id = context.req.param('id') ?? '';
  const path = context.get('form').get('from') === 'list' ? section : schedulerPath(id);
  try {
    await work(id);
    return redirectWith(context, path, { kind: 'done', text: done });
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const text = error.issues.map(({ message }) => message).join('; ');
    return redirectWith(context, path, { kind: 'problem', text });
  }
}

function showNew(context: PageContext, text: string, issues: readonly Issue[]) {
  const session = context.get('session');
  return showPage(context, {
    title: 'Add a schedule',
    section,
    status: issues.length > 0 ? 422 : 200,
    children: (
      <section class="card stack">
        <h1>Add a schedule</h1>
        <nav class="tabs" aria-label="Kinds of schedules">
          <a href="/dashboard/schedulers/new?type=Cron">By a pattern</a>
          <a href="/dashboard/schedulers/new?type=Delay">Again and again</a>
          <a href="/dashboard/schedulers/new?type=At">Once</a>
        </nav>
        <SchedulerEditor
          action="/dashboard/schedulers/new"
          text={text}
          issues={issues}
          session={session}
          label="Add"
          mayEdit={may(session, 'write')}
        />
      </section>
    ),
  });
}

/** What is wrong with what was typed. @throws every error that is about something else */
function issuesOf(error: unknown): readonly Issue[] {
  if (error instanceof ValidationError) return error.issues;
  if (error instanceof ConflictError) return [{ path: 'id', message: error.message }];
  if (error instanceof UnknownJobNameError) return [{ path: 'jobName', message: error.message }];
  throw error;
}
