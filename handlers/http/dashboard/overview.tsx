import { Hono } from 'hono';
import type { RemoteProcessor } from '../../../src/index.js';
import type { DashboardEnvironment } from './environment.js';
import { OverviewPage } from './overview-page.js';
import { showPage } from './page.js';
import { readRange } from './parts/range-links.js';

const LATEST_ERRORS = 5;

const NEXT_ITEMS = 8;

/** Marks that are read for the chart, the latest first. */
const MAX_MARKS = 100;

export function overviewRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>().get('/', async (context) => {
    const state = context.get('state');
    const range = readRange(context.req.query('range'));
    const [verdict, counts, statistics, { marks }, { jobs: failed }, workers, items] = await Promise.all([
      state.verdict(),
      state.counts(),
      processor.statistics.range({ range }),
      processor.marks.list({ limit: MAX_MARKS }),
      processor.jobs.list({ status: 'error', limit: LATEST_ERRORS, brief: true }),
      state.workers(),
      processor.schedules.next(NEXT_ITEMS),
    ]);
    const overview = { verdict, counts, statistics, marks, failed, workers, items };
    return showPage(context, {
      title: 'Overview',
      section: '/',
      children: <OverviewPage {...overview} session={context.get('session')} now={new Date()} />,
    });
  });
}
