import { Hono } from 'hono';
import type { LiveWorker, RemoteProcessor, RunningJob } from '../../../src/index.js';
import type { DashboardEnvironment } from './environment.js';
import { showPage } from './page.js';
import { Moment } from './parts/moment.js';
import { PageLinks } from './parts/page-links.js';
import { jobPath, workersPath } from './paths.js';

const PAGE_SIZE = 50;

/** Maximum number of running jobs that are looked up, of all workers together. */
const MAX_RUNNING = 1000;

export function workerRoutes(processor: RemoteProcessor) {
  return new Hono<DashboardEnvironment>().get('/', async (context) => {
    const cursor = context.req.query('cursor') || undefined;
    const [page, running] = await Promise.all([
      processor.workers.list({ limit: PAGE_SIZE, cursor }),
      processor.workers.running(MAX_RUNNING),
    ]);
    return showPage(context, {
      title: 'Workers',
      section: workersPath,
      children: (
        <>
          <h1>Workers</h1>
          <section class="card" id="workers" data-live aria-label="Workers">
            <Workers workers={page.workers} running={running} now={new Date()} />
            <PageLinks
              first={workersPath}
              cursor={page.cursor}
              isFirst={cursor === undefined}
              what="workers"
            />
          </section>
        </>
      ),
    });
  });
}

interface WorkersProps {
  readonly workers: readonly LiveWorker[];
  readonly running: readonly RunningJob[];
  readonly now: Date;
}

function Workers({ workers, running, now }: WorkersProps) {
  if (workers.length === 0)
    return <p class="empty">No worker is running. Invocations that end within a second are not listed.</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">Runs</th>
            <th scope="col">Queues</th>
            <th scope="col">Since</th>
          </tr>
        </thead>
        <tbody>
          {workers.map((worker) => (
            <Row worker={worker} jobs={running.filter((job) => job.worker === worker.id)} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ worker, jobs, now }: { worker: LiveWorker; jobs: readonly RunningJob[]; now: Date }) {
  return (
    <tr id={`worker-${encodeURIComponent(worker.id)}`}>
      <th scope="row">
        {worker.processor}
        <div class="quiet id">{worker.id}</div>
      </th>
      <td data-label="Runs">
        <div>
          {jobs.length} of {worker.maxThreads}
          {jobs.map(({ id, jobName, started }) => (
            <div>
              <a href={jobPath(id)}>{jobName}</a>{' '}
              <span class="quiet">{started && <Moment at={started} now={now} />}</span>
            </div>
          ))}
        </div>
      </td>
      <td class="more" data-label="Queues">
        {worker.queues?.join(', ') ?? 'all'}
      </td>
      <td data-label="Since">
        <Moment at={worker.started} now={now} />
      </td>
    </tr>
  );
}
