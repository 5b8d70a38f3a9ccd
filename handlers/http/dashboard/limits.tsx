import { Hono } from 'hono';
import type { RemoteProcessor } from '../../../src/index.js';
import { targetOf } from '../audit/targets.js';
import { Problem } from '../problem.js';
import { findDeeds } from './deeds.js';
import type { DashboardEnvironment } from './environment.js';
import { LimitPage } from './limit-page.js';
import { LimitsPage } from './limits-page.js';
import { redirectWith } from './notice.js';
import { showPage } from './page.js';
import { limitPath, limitsPath } from './paths.js';
import { requireRole } from './require-session.js';

/** Number of limits shown. */
const PAGE_SIZE = 100;

/** Number of names of limits whose waits are shown. */
const SHOWN_WAITS = 20;

export function limitRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const [{ limits }, waits] = await Promise.all([
        processor.limits.list({ order: 'fullest', limit: PAGE_SIZE }),
        processor.statistics.waits(),
      ]);
      const session = context.get('session');
      return showPage(context, {
        title: 'Limits',
        section: limitsPath,
        children: (
          <LimitsPage
            limits={limits}
            waits={waits.slice(0, SHOWN_WAITS)}
            session={session}
            now={new Date()}
          />
        ),
      });
    })
    .post('/', requireRole('admin'), async (context) => {
      const form = context.get('form');
      const key = form.get('key') ?? '';
      const text = await change(processor, key, form.get('action'), form.get('max') ?? '');
      const back = form.get('from') === 'page' ? limitPath(key) : limitsPath;
      return redirectWith(context, back, { kind: 'done', text });
    })
    .get('/:key', async (context) => {
      const limit = await processor.limits.get(context.req.param('key'));
      const deeds = await findDeeds(processor, targetOf('limits', limit.key));
      const session = context.get('session');
      return showPage(context, {
        title: `Limit ${limit.key}`,
        section: limitsPath,
        children: <LimitPage limit={limit} deeds={deeds} session={session} now={new Date()} />,
      });
    });
}

/**
 * Carries out the change that a form asks for. Returns a text that says so.
 * @throws Problem, and errors of the processor
 */
async function change(
  processor: RemoteProcessor,
  key: string,
  action: string | null,
  max: string,
): Promise<string> {
  switch (action) {
    case 'pause':
      await processor.limits.pause(key);
      return `Limit ${key} is paused: what runs goes on.`;
    case 'resume':
      await processor.limits.resume(key);
      return `Limit ${key} goes on.`;
    case 'set':
      await processor.limits.set(key, { max: max.trim() === '' ? null : Number(max) });
      return max.trim() === ''
        ? `Limit ${key} has as many places as the code says.`
        : `Limit ${key} has ${max.trim()} places.`;
    case 'skip':
      return `Limit ${key} goes on without job ${await processor.limits.skip(key)}.`;
    default:
      throw new Problem('validation_failed', { detail: 'Expected an action: set, pause, resume or skip.' });
  }
}
