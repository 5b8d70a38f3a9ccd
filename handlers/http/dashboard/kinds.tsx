import { Hono } from 'hono';
import type { RemoteProcessor } from '../../../src/index.js';
import { jobNameSchema } from '../../../src/job/define-job.js';
import { Problem } from '../problem.js';
import type { DashboardEnvironment } from './environment.js';
import { KindPage } from './kind-page.js';
import { KindsPage } from './kinds-page.js';
import { showPage } from './page.js';
import { readRange } from './parts/range-links.js';
import { kindsPath } from './paths.js';

/** Kinds per page. */
const PAGE_SIZE = 50;

/** Number of groups of failures that are read to tell which kinds fail now. The last seen groups are read first. */
const MAX_FAILURES = 100;

/** Number of groups of failures shown on the page of a kind. */
const SHOWN_FAILURES = 5;

/** Number of marks that are read for a chart, the latest first. */
const MAX_MARKS = 100;

export function kindRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const range = readRange(context.req.query('range'));
      const from = readPlace(context.req.query('from'));
      const [all, { failures }] = await Promise.all([
        processor.statistics.kinds({ range }),
        processor.failures.list({ since: '1h', limit: MAX_FAILURES, brief: true }),
      ]);
      const name = context.req.query('name')?.trim() || undefined;
      const kinds = name === undefined ? all : all.filter(({ jobName }) => contains(jobName, name));
      const next = from + PAGE_SIZE < kinds.length ? from + PAGE_SIZE : undefined;
      return showPage(context, {
        title: 'Kinds of jobs',
        section: kindsPath,
        children: (
          <KindsPage
            kinds={kinds.slice(from, from + PAGE_SIZE)}
            range={range}
            name={name}
            failures={failures}
            isFirst={from === 0}
            next={next}
          />
        ),
      });
    })
    .get('/:name', async (context) => {
      const { data: jobName } = jobNameSchema.safeParse(context.req.param('name'));
      if (jobName === undefined)
        throw new Problem('not_found', { detail: 'No kind of jobs can have this name.' });
      const range = readRange(context.req.query('range'));
      const [statistics, { marks }, { failures }] = await Promise.all([
        processor.statistics.range({ range, jobName }),
        processor.marks.list({ limit: MAX_MARKS }),
        processor.failures.list({ jobName, since: '1d', limit: SHOWN_FAILURES, brief: true }),
      ]);
      return showPage(context, {
        title: `Jobs ${jobName}`,
        section: kindsPath,
        children: (
          <KindPage
            jobName={jobName}
            statistics={statistics}
            marks={marks}
            failures={failures}
            now={new Date()}
          />
        ),
      });
    });
}

function contains(jobName: string, text: string): boolean {
  return jobName.toLowerCase().includes(text.toLowerCase());
}

/** Returns where a page of a list begins. */
function readPlace(text = ''): number {
  return /^\d{1,6}$/.test(text) ? Number(text) : 0;
}
