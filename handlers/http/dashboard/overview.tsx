import { Hono } from 'hono';
import type { RemoteProcessor } from '../../../src/index.js';
import { Problem } from '../problem.js';
import type { DashboardEnvironment } from './environment.js';
import { redirectWith } from './notice.js';
import { OverviewPage } from './overview-page.js';
import { showPage } from './page.js';
import { readRange } from './parts/range-links.js';
import { requireRole } from './require-session.js';

const LATEST_ERRORS = 5;

/** Number of queues, and of workers, shown at a time. */
const PAGE_SIZE = 50;

const NEXT_ITEMS = 8;

/** Marks that are read for the chart, the latest first. */
const MAX_MARKS = 100;

export function overviewRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const cursor = context.req.query('queues') || undefined;
      const range = readRange(context.req.query('range'));
      const [verdict, counts, statistics, { marks }, { jobs: failed }, queues, waiting, workers, items] =
        await Promise.all([
          context.get('verdict')(),
          processor.jobs.count(),
          processor.statistics.range({ range }),
          processor.marks.list({ limit: MAX_MARKS }),
          processor.jobs.list({ status: 'error', limit: LATEST_ERRORS, brief: true }),
          processor.queues.list({ limit: PAGE_SIZE, cursor }),
          processor.jobs.oldestWaiting(),
          processor.workers.list({ limit: PAGE_SIZE }),
          processor.schedules.next(NEXT_ITEMS),
        ]);
      const overview = { verdict, counts, statistics, marks, failed, queues, waiting, workers, items };
      return showPage(context, {
        title: 'Overview',
        section: '/',
        children: (
          <OverviewPage
            {...overview}
            isFirst={cursor === undefined}
            session={context.get('session')}
            now={new Date()}
          />
        ),
      });
    })
    .post('/dashboard/queues', requireRole('admin'), async (context) => {
      const form = context.get('form');
      const name = form.get('queue') ?? '';
      const action = form.get('action');
      if (action !== 'pause' && action !== 'resume')
        throw new Problem('validation_failed', { detail: 'Expected an action: pause or resume.' });
      const isPause = action === 'pause';
      await (isPause ? processor.queues.pause(name) : processor.queues.resume(name));
      const text = isPause ? `Queue ${name} is paused: what runs goes on.` : `Queue ${name} goes on.`;
      return redirectWith(context, '/', { kind: 'done', text });
    });
}
