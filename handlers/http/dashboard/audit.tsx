import { Hono } from 'hono';
import type { RemoteProcessor } from '../../../src/index.js';
import { AuditPage } from './audit-page.js';
import type { DashboardEnvironment } from './environment.js';
import { showPage } from './page.js';
import { auditPath } from './paths.js';
import { requireRole } from './require-session.js';

const PAGE_SIZE = 50;

export function auditRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>().get('/', requireRole('admin'), async (context) => {
    const { target = '', who = '', cursor = '' } = context.req.query();
    const page = await processor.audit.list({
      target: target.trim() || undefined,
      who: who.trim() || undefined,
      cursor: cursor || undefined,
      limit: PAGE_SIZE,
    });
    return showPage(context, {
      title: 'What people did',
      section: auditPath,
      children: <AuditPage {...page} target={target} who={who} isFirst={cursor === ''} now={new Date()} />,
    });
  });
}
