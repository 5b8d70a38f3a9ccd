import { Hono } from 'hono';
import { NotFoundError, type RemoteProcessor } from '../../src/index.js';
import type { Kick } from '../kick.js';
import { requireRole } from './access.js';
import { addJob } from './add-job.js';
import { readJsonObject } from './body.js';
import { toJobView } from './job-view.js';

/** Jobs: add, read, cancel. */
export function jobRoutes(processor: RemoteProcessor, kick: Kick) {
  return new Hono()
    .post('/', requireRole('write'), async (context) => {
      const { due, ...job } = await addJob(processor, await readJsonObject(context.req.raw));
      if (due) await kick();
      return context.json(job, 202, { location: `/v1/jobs/${encodeURIComponent(job.id)}` });
    })
    .get('/:id', requireRole('read'), async (context) => {
      const id = context.req.param('id');
      const job = await processor.getJob(id);
      if (!job) throw new NotFoundError('job', id);
      return context.json(toJobView(job));
    })
    .post('/:id/cancel', requireRole('write'), async (context) => {
      const id = context.req.param('id');
      return context.json({ id, status: await processor.cancelJob(id) });
    });
}
