import { type Context, Hono } from 'hono';
import type { Issue, RemoteProcessor } from '../../../src/index.js';
import type { DashboardEnvironment } from './environment.js';
import { redirectWith } from './notice.js';
import { showPage } from './page.js';
import { newSchedulerPath, schedulerPath } from './paths.js';
import { may, requireRole } from './require-session.js';
import { SchedulerEditor } from './scheduler-editor.js';
import { issuesOf } from './scheduler-issues.js';
import { parseOptions, template } from './scheduler-text.js';

type PageContext = Context<DashboardEnvironment>;

export function newSchedulerRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .use(requireRole('write'))
    .get('/', (context) => showNew(context, template(context.req.query('type')), []))
    .post('/', async (context) => {
      const text = context.get('form').get('text') ?? '';
      try {
        const id = await processor.addScheduler(parseOptions(text), {
          callerRole: context.get('session').caller.role,
        });
        return redirectWith(context, schedulerPath(id), { kind: 'done', text: 'Added.' });
      } catch (error) {
        return showNew(context, text, issuesOf(error));
      }
    });
}

const kinds = [
  ['Cron', 'By a pattern'],
  ['Delay', 'Again and again'],
  ['At', 'Once'],
] as const;

function showNew(context: PageContext, text: string, issues: readonly Issue[]) {
  const session = context.get('session');
  const chosen = context.req.method === 'GET' ? (context.req.query('type') ?? 'Cron') : undefined;
  return showPage(context, {
    title: 'Add a schedule',
    section: '/dashboard/schedulers',
    status: issues.length > 0 ? 422 : 200,
    children: (
      <section class="card stack">
        <h1>Add a schedule</h1>
        <nav class="tabs" aria-label="Kinds of schedules">
          {kinds.map(([type, name]) => (
            <a href={newSchedulerPath(type)} aria-current={type === chosen ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <SchedulerEditor
          action={newSchedulerPath()}
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
