import { type Context, Hono } from 'hono';
import { isKind } from '../../../src/brand.js';
import {
  type Issue,
  NotFoundError,
  type RemoteProcessor,
  type SchedulerItem,
  ValidationError,
} from '../../../src/index.js';
import { schedulerSeenBy } from '../seen-by.js';
import { askToConfirm, isConfirmed } from './confirmation.js';
import type { DashboardEnvironment } from './environment.js';
import { mayAddByName, mayAddJob } from './may-add.js';
import { redirectWith } from './notice.js';
import { showPage } from './page.js';
import { jobPath, schedulerPath } from './paths.js';
import { requireRole } from './require-session.js';
import { issuesOf } from './scheduler-issues.js';
import { SchedulerPage } from './scheduler-page.js';
import { SchedulerTable } from './scheduler-table.js';
import { changesBetween, editable } from './scheduler-text.js';

type PageContext = Context<DashboardEnvironment>;

const section = '/dashboard/schedulers';

const PAGE_SIZE = 50;

export function schedulerRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const session = context.get('session');
      const cursor = context.req.query('cursor') || undefined;
      const [page, factories] = await Promise.all([
        processor.schedules.list({ limit: PAGE_SIZE, brief: true, cursor }),
        processor.getJobFactories(),
      ]);
      return showPage(context, {
        title: 'Schedules',
        section,
        children: (
          <SchedulerTable
            items={page.schedulers}
            cursor={page.cursor}
            isFirst={cursor === undefined}
            session={session}
            mayRun={mayAddByName(session, factories)}
            now={new Date()}
          />
        ),
      });
    })
    .get('/:id', async (context) => {
      const item = await seenItem(context, context.req.param('id'));
      return showItem(context, item, { text: editable(item) });
    })
    .post('/:id', requireRole('write'), async (context) => {
      const id = context.req.param('id');
      const form = context.get('form');
      const text = form.get('text') ?? '';
      const version = Number(form.get('version'));
      const item = await seenItem(context, id);
      if (item.version !== version) return showChangedMeanwhile(context, item, text);
      try {
        const callerRole = context.get('session').caller.role;
        await processor.updateScheduler(id, changesBetween(item, text), { version, callerRole });
        return redirectWith(context, schedulerPath(id), { kind: 'done', text: 'Saved.' });
      } catch (error) {
        const now = await seenItem(context, id);
        if (now.version !== version) return showChangedMeanwhile(context, now, text);
        return showItem(context, item, { text, issues: issuesOf(error) });
      }
    })
    .post('/:id/activate', requireRole('write'), (context) =>
      act(context, 'Switched on.', (id) =>
        processor.activateScheduler(id, { callerRole: context.get('session').caller.role }),
      ),
    )
    .post('/:id/deactivate', requireRole('write'), (context) =>
      act(context, 'Switched off.', (id) => processor.deactivateScheduler(id)),
    )
    .post('/:id/run', requireRole('write'), async (context) => {
      const callerRole = context.get('session').caller.role;
      const id = await processor.schedules.runNow(context.req.param('id'), { callerRole });
      return redirectWith(context, jobPath(id), { kind: 'done', text: 'This is the job that was added.' });
    })
    .post('/:id/remove', requireRole('admin'), async (context) => {
      const id = context.req.param('id');
      if (!isConfirmed(context.get('form'))) {
        const { title } = await requireItem(id);
        const question = `Remove ${title || id}? Its jobs stay.`;
        return askToConfirm(context, { question, label: 'Remove', section, back: schedulerPath(id) });
      }
      await processor.removeScheduler(id);
      return redirectWith(context, section, { kind: 'done', text: 'Removed. The jobs that it made stay.' });
    });

  /** Returns an item as the user may see it. @throws NotFoundError */
  async function seenItem(context: PageContext, id: string): Promise<SchedulerItem> {
    const callerRole = context.get('session').caller.role;
    return schedulerSeenBy({ processor, callerRole }, await requireItem(id));
  }

  async function requireItem(id: string): Promise<SchedulerItem> {
    const item = await processor.getScheduler(id);
    if (item) return item;
    throw new NotFoundError('scheduler item', id);
  }

  /** Saves nothing. Shows the entered text beside the current item, which saving again would replace. */
  function showChangedMeanwhile(context: PageContext, item: SchedulerItem, text: string) {
    return showItem(context, item, { text, meanwhile: editable(item) });
  }

  async function showItem(context: PageContext, item: SchedulerItem, edited: Edited) {
    const { text, meanwhile, issues = [] } = edited;
    const occurrences = await processor.schedules.preview(item.id, 10);
    const session = context.get('session');
    const mayChange = await mayAddJob(processor, session, item.jobName);
    return showPage(context, {
      title: item.title || item.id,
      section,
      status: meanwhile !== undefined ? 409 : issues.length > 0 ? 422 : 200,
      children: (
        <SchedulerPage
          item={item}
          occurrences={occurrences}
          text={text}
          meanwhile={meanwhile}
          issues={issues}
          session={session}
          mayChange={mayChange}
          now={new Date()}
        />
      ),
    });
  }
}

interface Edited {
  readonly text: string;
  /** The current item, if somebody else changed it meanwhile. */
  readonly meanwhile?: string;
  readonly issues?: readonly Issue[];
}

/** Performs an action on an item, and returns to the page with the button. */
async function act(context: PageContext, done: string, work: (id: string) => Promise<unknown>) {
  const id = context.req.param('id') ?? '';
  const path = context.get('form').get('from') === 'list' ? section : schedulerPath(id);
  try {
    await work(id);
    return redirectWith(context, path, { kind: 'done', text: done });
  } catch (error) {
    if (!isKind(error, ValidationError)) throw error;
    const text = error.issues.map(({ message }) => message).join('; ');
    return redirectWith(context, path, { kind: 'problem', text });
  }
}
