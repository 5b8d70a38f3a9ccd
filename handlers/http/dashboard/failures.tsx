import { Hono } from 'hono';
import type { RemoteProcessor } from '../../../src/index.js';
import type { DashboardEnvironment } from './environment.js';
import { FailuresPage } from './failures-page.js';
import { showPage } from './page.js';
import { failuresPath } from './paths.js';

/** Groups per page. Each costs a count of jobs. */
const PAGE_SIZE = 20;

export function failureRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>().get('/', async (context) => {
    const jobName = context.req.query('name')?.trim() || undefined;
    const cursor = context.req.query('cursor') || undefined;
    const [page, names] = await Promise.all([
      processor.failures.list({ jobName, cursor, limit: PAGE_SIZE }),
      processor.factories.names(),
    ]);
    return showPage(context, {
      title: 'Failures',
      section: failuresPath,
      children: (
        <FailuresPage
          {...page}
          jobName={jobName}
          names={names}
          isFirst={cursor === undefined}
          session={context.get('session')}
          now={new Date()}
        />
      ),
    });
  });
}
