import type { WorkflowJobInfo } from '../../../src/index.js';
import { firstLine } from './parts/first-line.js';
import { duration } from './parts/moment.js';
import { jobPath } from './paths.js';
import { lookOf, stateOf, WorkflowGraph } from './workflow-graph.js';

/** Shows the jobs of a workflow: a drawing of which waits for which, and the same as a table. */
export function WorkflowJobs({ jobs }: { jobs: readonly WorkflowJobInfo[] }) {
  return (
    <section class="card" aria-labelledby="jobs-title">
      <h2 id="jobs-title">Jobs</h2>
      <WorkflowGraph jobs={jobs} />
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">Status</th>
              <th scope="col">After</th>
              <th scope="col">Took</th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <Row job={job} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ job }: { job: WorkflowJobInfo }) {
  const { name, jobName, id, after, when, started, completed, error } = job;
  return (
    <tr>
      <th scope="row">
        <a href={jobPath(id)}>{name}</a> {jobName !== name && <span class="quiet">{jobName}</span>}
        {error !== undefined && <div class="error-text">{firstLine(error)}</div>}
      </th>
      <td data-label="Status">
        <span class={`status ${lookOf(job)}`}>{stateOf(job)}</span>
      </td>
      <td data-label="After">
        {after.length === 0 ? '–' : after.join(', ')}
        {when === 'settled' && after.length > 0 && <span class="quiet"> however they end</span>}
      </td>
      <td data-label="Took">
        {started && completed ? duration(completed.getTime() - started.getTime()) : '–'}
      </td>
    </tr>
  );
}
