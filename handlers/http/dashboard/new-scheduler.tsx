import { type Context, Hono } from 'hono';
import type { RemoteProcessor } from '../../../src/index.js';
import type { DashboardEnvironment } from './environment.js';
import { readChange } from './form/change.js';
import { redirectWith } from './notice.js';
import { showPage } from './page.js';
import { newSchedulerPath, schedulerPath } from './paths.js';
import { may, requireRole } from './require-session.js';
import { changedDraft, readScheduleDraft, type ScheduleDraft, valuesOf } from './schedule-draft.js';
import { inputOf, schedulePartsOf } from './schedule-parts.js';
import { SchedulerEditor } from './scheduler-editor.js';
import { issuesOf } from './scheduler-issues.js';
import { parseOptions, template } from './scheduler-text.js';

type PageContext = Context<DashboardEnvironment>;

export function newSchedulerRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .use(requireRole('write'))
    .get('/', (context) => {
      const { type, as, job } = context.req.query();
      return showNew(context, { text: template(type, job), isJson: as === 'json', issues: [] });
    })
    .post('/', async (context) => {
      const form = context.get('form');
      const draft = await readScheduleDraft(form, true, inputOf(processor));
      const change = readChange(form);
      if (change) return showNew(context, changedDraft(draft, change));
      if (draft.issues.length > 0) return showNew(context, draft);
      try {
        const id = await processor.addScheduler(parseOptions(draft.text), {
          callerRole: context.get('session').caller.role,
        });
        return redirectWith(context, schedulerPath(id), { kind: 'done', text: 'Added.' });
      } catch (error) {
        return showNew(context, { ...draft, issues: issuesOf(error) });
      }
    });

  async function showNew(context: PageContext, draft: ScheduleDraft) {
    const session = context.get('session');
    const parts = await schedulePartsOf(processor, draft.text);
    const type = valuesOf(draft.text)?.type;
    return showPage(context, {
      title: 'Add a schedule',
      section: '/dashboard/schedulers',
      status: draft.issues.length > 0 ? 422 : 200,
      children: (
        <section class="card stack">
          <h1>Add a schedule</h1>
          <nav class="tabs" aria-label="Kinds of schedules">
            {kinds.map(([kind, name]) => (
              <a
                href={newSchedulerPath(kind, jobOf(draft.text))}
                aria-current={kind === type ? 'page' : undefined}
              >
                {name}
              </a>
            ))}
          </nav>
          <SchedulerEditor
            action={newSchedulerPath()}
            draft={draft}
            {...parts}
            session={session}
            label="Add"
            mayEdit={may(session, 'write')}
          />
        </section>
      ),
    });
  }
}

const kinds = [
  ['Cron', 'By a pattern'],
  ['Delay', 'Again and again'],
  ['At', 'Once'],
] as const;

/** Returns the kind of jobs that a draft names. It is kept when the type of the schedule changes. */
function jobOf(text: string): string | undefined {
  const jobName = valuesOf(text)?.jobName;
  return typeof jobName === 'string' ? jobName : undefined;
}
