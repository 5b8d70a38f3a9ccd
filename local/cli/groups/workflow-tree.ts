import { between } from '../output/moment.js';
import { type Paint, statusStyle } from '../output/paint.js';
import { visible } from '../output/visible.js';
import type { ShownWorkflow } from './group-shape.js';

type WorkflowJob = ShownWorkflow['jobs'][number];

/**
 * Returns the jobs of a workflow as a tree. A job stands below the job that it waits for. If it waits for several, it
 * stands below the last of them, and its line names them all.
 */
export function workflowTree(jobs: readonly WorkflowJob[], paint: Paint): string {
  const order = new Map(jobs.map(({ name }, index) => [name, index]));
  const placeOf = (name: string) => order.get(name) ?? -1;
  const parentOf = ({ after }: WorkflowJob) =>
    after.reduce<string | undefined>(
      (last, name) => (last === undefined || placeOf(name) > placeOf(last) ? name : last),
      undefined,
    );
  const below = new Map<string | undefined, WorkflowJob[]>();
  for (const job of jobs) below.set(parentOf(job), [...(below.get(parentOf(job)) ?? []), job]);
  const linesOf = (parent: string | undefined, indent: string): string[] =>
    (below.get(parent) ?? []).flatMap((job, index, siblings) => {
      const isLast = index === siblings.length - 1;
      const isTop = parent === undefined;
      const branch = isTop ? '' : isLast ? '└─ ' : '├─ ';
      const further = isTop ? '' : isLast ? '   ' : '│  ';
      return [`${indent}${branch}${lineOf(job, paint)}`, ...linesOf(job.name, `${indent}${further}`)];
    });
  return linesOf(undefined, '').join('\n');
}

function lineOf(job: WorkflowJob, paint: Paint): string {
  const { name, jobName, status, isWaiting, after, started, completed, error } = job;
  const kind = jobName === name ? '' : ` (${jobName})`;
  const state = status === null ? 'gone' : isWaiting ? 'waits' : status;
  const others = after.length > 1 ? `after ${after.join(', ')}` : '';
  const remarks = [between(started, completed), others, error?.split('\n')[0] ?? ''];
  const remark = remarks.filter((part) => part !== '').join('; ');
  return [
    visible(`${name}${kind}`),
    paint(isWaiting ? 'dim' : statusStyle(state), state),
    paint('dim', visible(remark)),
  ]
    .filter((part) => part !== '')
    .join('  ');
}
