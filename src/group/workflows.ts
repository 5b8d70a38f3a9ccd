import { workflowJobId } from '../job/group.js';
import { byId } from '../mongo/by-index.js';
import type { PageFilter } from '../page-filter.js';
import { AddedGroups } from './added-groups.js';
import { describeWorkflow, type WorkflowInfo } from './describe-group.js';
import { type JobResult, listResults, type ResultPage, type ResultsFilter } from './list-results.js';

/** A page of workflows. */
export interface WorkflowPage {
  readonly workflows: readonly WorkflowInfo[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/** How a job of a workflow ended, or its present state. */
export interface WorkflowResult extends JobResult {
  /** Its name in the workflow. */
  readonly name: string;
}

/** Workflows, whose jobs wait for each other. `processor.addWorkflow` adds one. */
export class Workflows extends AddedGroups<'workflow'> {
  /** Returns a page of workflows, newest first. Each workflow costs five reads. @throws ValidationError */
  async list(filter?: PageFilter): Promise<WorkflowPage> {
    const { documents, cursor } = await this.page(filter);
    const collections = await this.collections();
    const workflows = await Promise.all(documents.map((each) => describeWorkflow(collections, each)));
    return { workflows, cursor };
  }

  /** Returns a workflow and how far its jobs have come. @throws NotFoundError */
  async get(id: string): Promise<WorkflowInfo> {
    return describeWorkflow(await this.collections(), await this.require(id));
  }

  /**
   * Returns the outputs of the completed jobs of a workflow, by name.
   *
   * @throws NotFoundError
   */
  async outputs(id: string): Promise<Record<string, unknown>> {
    const { jobs } = await this.collections();
    const workflow = await this.require(id);
    const names = new Map(workflow.jobs.map(({ name }) => [name, workflowJobId(id, name)]));
    const completed = { _id: { $in: [...names.values()] }, status: 'completed' } as const;
    const found = await jobs.find(completed, { projection: { output: 1 }, ...byId }).toArray();
    const outputs = new Map(found.map(({ _id, output }) => [_id, output]));
    return Object.fromEntries(
      [...names].filter(([, job]) => outputs.has(job)).map(([name, job]) => [name, outputs.get(job) ?? null]),
    );
  }

  /**
   * Returns a page of the jobs' results or present states, in the order of the jobs' names.
   *
   * @throws NotFoundError, or ValidationError for an invalid filter or a cursor that no page returned
   */
  async listResults(id: string, filter?: ResultsFilter): Promise<ResultPage<WorkflowResult>> {
    const { jobs } = await this.collections();
    const workflow = await this.require(id);
    const ids = workflow.jobs.map(({ name }) => workflowJobId(id, name)).sort();
    const idsOf = (from: number, to: number) => ids.slice(from, to);
    const { results, cursor } = await listResults(jobs, ids.length, idsOf, filter);
    const named = results.map((result) => ({ name: result.id.slice(id.length + 1), ...result }));
    return { results: named, cursor };
  }
}
