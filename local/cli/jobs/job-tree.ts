import { between } from '../output/moment.js';
import { type Paint, statusStyle } from '../output/paint.js';
import { visible } from '../output/visible.js';
import type { ShownJob } from './job-shape.js';

/** Returns one line of a tree of jobs. Each level below the first job is indented further. */
export function treeLine(job: ShownJob, above: number, paint: Paint): string {
  const { id, jobName, status, started, completed, errors, parents } = job;
  const depth = Math.max(0, (parents?.length ?? 0) - above);
  const error = status === 'completed' ? '' : (errors.at(-1)?.message.split('\n')[0] ?? '');
  return [
    `${'  '.repeat(depth)}${visible(jobName)}`,
    paint(statusStyle(status), status),
    between(started, completed),
    paint('dim', visible(id)),
    paint('red', visible(error)),
  ]
    .filter((part) => part !== '')
    .join('  ');
}
