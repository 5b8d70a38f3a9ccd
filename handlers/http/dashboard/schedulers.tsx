import { type Context, Hono } from 'hono';
import { isKind } from '../../../src/brand.js';
import {
  NotFoundError,
  type RemoteProcessor,
  type SchedulerItem,
  ValidationError,
} from '../../../src/index.js';
import { targetOf } from '../audit/targets.js';
import { schedulerSeenBy } from '../seen-by.js';
import { askToConfirm, isConfirmed } from './confirmation.js';
import { findDeeds } from './deeds.js';
import type { DashboardEnvironment } from './environment.js';
import { readChange } from './form/change.js';
import { mayAddByName, mayAddJob } from './may-add.js';
import { mergeTexts } from './merge-texts.js';
import { redirectWith } from './notice.js';
import { showPage } from './page.js';
import { jobPath, schedulerPath } from './paths.js';
import { requireRole } from './require-session.js';
import { changedDraft, readScheduleDraft, type ScheduleDraft } from './schedule-draft.js';
import { inputOf, schedulePartsOf } from './schedule-parts.js';
import { type ChangedMeanwhile, SchedulerEditor } from './scheduler-editor.js';
import { issuesOf } from './scheduler-issues.js';
import { SchedulerPage } from './scheduler-page.js';
import { SchedulerTable } from './scheduler-table.js';
import { changesBetween, editable } from './scheduler-text.js';

type PageContext = Context<DashboardEnvironment>;

const section = '/dashboard/schedulers';

const PAGE_SIZE = 50;

/** Number of jobs of past occurrences that are shown. */
const SHOWN_HISTORY = 50;

export function schedulerRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const session = context.get('session');
      const cursor = context.req.query('cursor') || undefined;
      const text = context.req.query('text')?.trim() ?? '';
      const [page, factories, upcoming] = await Promise.all([
        processor.schedules.list({ limit: PAGE_SIZE, brief: true, cursor, text: text || undefined }),
        processor.getJobFactories(),
        processor.schedules.upcoming(),
      ]);
      return showPage(context, {
        title: 'Schedules',
        section,
        children: (
          <SchedulerTable
            items={page.schedulers}
            cursor={page.cursor}
            isFirst={cursor === undefined}
            text={text}
            upcoming={upcoming}
            session={session}
            mayRun={mayAddByName(session, factories)}
            now={new Date()}
          />
        ),
      });
    })
    .get('/:id', async (context) => {
      const item = await seenItem(context, context.req.param('id'));
      const isJson = context.req.query('as') === 'json';
      return showItem(context, item, { draft: { text: editable(item), isJson, issues: [] } });
    })
    .post('/:id', requireRole('write'), async (context) => {
      const id = context.req.param('id');
      const form = context.get('form');
      const draft = await readScheduleDraft(form, false, inputOf(processor));
      const version = Number(form.get('version'));
      const item = await seenItem(context, id);
      const change = readChange(form);
      if (change) return showItem(context, { ...item, version }, { draft: changedDraft(draft, change) });
      if (item.version !== version) return showChangedMeanwhile(context, item, draft);
      if (draft.issues.length > 0) return showItem(context, item, { draft });
      try {
        const callerRole = context.get('session').caller.role;
        await processor.updateScheduler(id, changesBetween(item, draft.text), { version, callerRole });
        return redirectWith(context, schedulerPath(id), { kind: 'done', text: 'Saved.' });
      } catch (error) {
        const now = await seenItem(context, id);
        if (now.version !== version) return showChangedMeanwhile(context, now, draft);
        return showItem(context, item, { draft: { ...draft, issues: issuesOf(error) } });
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

  /**
   * Shows the entered text merged with the changes of somebody else, and saves nothing. So saving again loses neither
   * change. Fields that both changed are shown with both values.
   */
  function showChangedMeanwhile(context: PageContext, item: SchedulerItem, draft: ScheduleDraft) {
    const now = editable(item);
    const merged = mergeTexts(context.get('form').get('base') ?? '', draft.text, now);
    return showItem(context, item, {
      draft: { text: merged?.text ?? draft.text, isJson: draft.isJson, issues: [] },
      meanwhile: { now, merged },
    });
  }

  async function showItem(context: PageContext, item: SchedulerItem, { draft, meanwhile }: Edited) {
    const [occurrences, history, deeds, parts] = await Promise.all([
      processor.schedules.preview(item.id, 10),
      processor.schedules.history(item.id, SHOWN_HISTORY),
      findDeeds(processor, targetOf('schedulers', item.id)),
      schedulePartsOf(processor, draft.text),
    ]);
    const session = context.get('session');
    const mayChange = await mayAddJob(processor, session, item.jobName);
    // While a form is changed, it keeps the text that it began with.
    const base = meanwhile ? meanwhile.now : (context.get('form')?.get('base') ?? editable(item));
    return showPage(context, {
      title: item.title || item.id,
      section,
      status: meanwhile !== undefined ? 409 : draft.issues.length > 0 ? 422 : 200,
      children: (
        <SchedulerPage
          item={item}
          occurrences={occurrences}
          history={history}
          deeds={deeds}
          session={session}
          mayChange={mayChange}
          now={new Date()}
        >
          <SchedulerEditor
            action={schedulerPath(item.id)}
            version={item.version}
            draft={draft}
            base={base}
            meanwhile={meanwhile}
            {...parts}
            session={session}
            label="Save"
            mayEdit={mayChange}
          />
        </SchedulerPage>
      ),
    });
  }
}

interface Edited {
  readonly draft: ScheduleDraft;
  /** Changes that somebody else made meanwhile. */
  readonly meanwhile?: ChangedMeanwhile;
}

/** Performs an action on an item, and redirects to the page with the button. */
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
