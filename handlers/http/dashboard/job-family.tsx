import type { Job, RemoteProcessor } from '../../../src/index.js';
import { parseGroup } from '../../../src/job/group.js';
import { firstLine } from './parts/first-line.js';
import { Status } from './parts/status.js';
import { batchPath, jobPath, workflowPath } from './paths.js';

/** The most jobs below a job that are shown, and the most of them that failed. */
const SHOWN = 100;
const SHOWN_FAILED = 20;

/** The jobs that the steps of a job have added. */
export interface Children {
  readonly failed: readonly Job[];
  /** The first jobs, each followed by the jobs below it. */
  readonly all: readonly Job[];
  readonly hasMore: boolean;
}

/** Finds the jobs below a job. Undefined if it has added none. */
export async function findChildren(processor: RemoteProcessor, job: Job): Promise<Children | undefined> {
  if (!job.steps?.children) return undefined;
  const [{ jobs: failed }, { jobs: all, cursor }] = await Promise.all([
    processor.jobs.children(job.id, { status: 'error', limit: SHOWN_FAILED }),
    processor.jobs.children(job.id, { limit: SHOWN }),
  ]);
  return { failed, all, hasMore: cursor !== undefined };
}

/** Shows the jobs below a job as a tree. The failed ones are also listed before the tree. */
export function ChildrenOf({ job, children }: { job: Job; children: Children }) {
  const { failed, all, hasMore } = children;
  return (
    <section class="card" aria-labelledby="children-title">
      <h2 id="children-title">Jobs below it</h2>
      <p class="quiet">
        Cancelling this job also cancels all of them. Retrying it retries those that failed.
      </p>
      {failed.length > 0 && (
        <>
          <h3>Failed</h3>
          <ul class="tree">
            {failed.map((child) => (
              <li>
                <Line job={child} />
              </li>
            ))}
          </ul>
          <h3>All</h3>
        </>
      )}
      <Tree jobs={all} depth={(job.parents?.length ?? 0) + 1} />
      {hasMore && <p class="quiet">Only the first {SHOWN} are shown.</p>}
    </section>
  );
}

/** Shows jobs of one depth, each with the jobs below it. */
function Tree({ jobs, depth }: { jobs: readonly Job[]; depth: number }) {
  const tops = jobs.flatMap((job, index) => (depthOf(job) === depth ? [index] : []));
  return (
    <ul class="tree">
      {tops.map((start, index) => {
        const [job, ...below] = jobs.slice(start, tops[index + 1]);
        return (
          job && (
            <li>
              <Line job={job} />
              {below.length > 0 && <Tree jobs={below} depth={depth + 1} />}
            </li>
          )
        );
      })}
    </ul>
  );
}

function depthOf({ parents = [] }: Job): number {
  return parents.length;
}

function Line({ job }: { job: Job }) {
  const error = job.status === 'completed' ? undefined : job.errors.at(-1);
  return (
    <>
      <a href={jobPath(job.id)}>{job.jobName}</a> <Status status={job.status} />{' '}
      <span class="quiet id">{job.id}</span>
      {error && <div class="error-text">{firstLine(error.message)}</div>}
    </>
  );
}

/** Names the job, the batch or the workflow that a job belongs to, as a link. */
export function Owner({ group, parents }: Pick<Job, 'group' | 'parents'>) {
  const parent = parents?.at(-1);
  if (parent !== undefined) return <JobLink id={parent} />;
  return group === undefined ? null : <AwaitedLink on={group} />;
}

/** Names what a job waits for, as a link: `job a`, `batch b`, or the children of a job. */
export function AwaitedLink({ on }: { on: string }) {
  const { kind, id } = parseGroup(on);
  if (kind === 'job') return <JobLink id={id} />;
  if (kind === 'children') return <>children</>;
  return (
    <>
      {kind} <a href={kind === 'batch' ? batchPath(id) : workflowPath(id)}>{id}</a>
    </>
  );
}

function JobLink({ id }: { id: string }) {
  return (
    <>
      job <a href={jobPath(id)}>{id}</a>
    </>
  );
}
