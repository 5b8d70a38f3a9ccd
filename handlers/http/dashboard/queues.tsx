import { Hono } from 'hono';
import type { QueuePage, RemoteProcessor } from '../../../src/index.js';
import { targetOf } from '../audit/targets.js';
import { Problem } from '../problem.js';
import type { DashboardEnvironment } from './environment.js';
import { redirectWith } from './notice.js';
import { showPage } from './page.js';
import { queuesPath } from './paths.js';
import { QueuesPage } from './queues-page.js';
import { requireRole } from './require-session.js';

const PAGE_SIZE = 50;

/**
 * Number of paused queues for which the page looks up who paused them, and of entries of the audit log that it reads
 * for each.
 */
const MAX_PAUSED = 5;
const LOOKED_AT = 5;

export function queueRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>()
    .get('/', async (context) => {
      const cursor = context.req.query('queues') || undefined;
      const [queues, waiting] = await Promise.all([
        processor.queues.list({ limit: PAGE_SIZE, cursor }),
        processor.jobs.oldestWaiting(),
      ]);
      const shown = { queues, waiting, isFirst: cursor === undefined, pausedBy: await whoPaused(queues) };
      return showPage(context, {
        title: 'Queues',
        section: queuesPath,
        children: <QueuesPage {...shown} session={context.get('session')} now={new Date()} />,
      });
    })
    .post('/', requireRole('admin'), async (context) => {
      const form = context.get('form');
      const name = form.get('queue') ?? '';
      const action = form.get('action');
      if (action !== 'pause' && action !== 'resume')
        throw new Problem('validation_failed', { detail: 'Expected an action: pause or resume.' });
      const isPause = action === 'pause';
      await (isPause ? processor.queues.pause(name) : processor.queues.resume(name));
      const text = isPause ? `Queue ${name} is paused: what runs goes on.` : `Queue ${name} goes on.`;
      return redirectWith(context, form.get('from') === 'overview' ? '/' : queuesPath, {
        kind: 'done',
        text,
      });
    });

  /** Returns who paused the first paused queues. */
  async function whoPaused({ queues }: QueuePage): Promise<ReadonlyMap<string, string>> {
    const paused = queues.filter((queue) => queue.paused !== null).slice(0, MAX_PAUSED);
    const found = paused.map(async ({ name }): Promise<[string, string][]> => {
      const target = targetOf('queues', name);
      const { entries } = await processor.audit.list({ target, limit: LOOKED_AT });
      const entry = entries.find(({ action, outcome }) => action === 'pauseQueue' && outcome === 'done');
      return entry ? [[name, entry.who]] : [];
    });
    return new Map((await Promise.all(found)).flat());
  }
}
