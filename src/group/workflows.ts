import { byId } from '../mongo/by-index.js';
import type { PageFilter } from '../page-filter.js';
import { AddedGroups } from './added-groups.js';
import { describeWorkflow, type WorkflowInfo } from './describe-group.js';

/** A page of workflows. */
export interface WorkflowPage {
  readonly workflows: readonly WorkflowInfo[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/** Workflows, whose jobs wait for each other. `processor.addWorkflow` adds one. */
export class Workflows extends AddedGroups<'workflow'> {
  /** Returns a page of workflows, newest first. Each costs three reads. @throws ValidationError */
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
   * Returns the outputs of the jobs of a workflow that have completed, by their names.
   *
   * @throws NotFoundError
   */
  async outputs(id: string): Promise<Record<string, unknown>> {
    const { jobs } = await this.collections();
    const workflow = await this.get(id);
    const completed = { _id: { $in: workflow.jobs.map((job) => job.id) }, status: 'completed' } as const;
    const found = await jobs.find(completed, { projection: { output: 1 }, ...byId }).toArray();
    const outputs = new Map(found.map(({ _id, output }) => [_id, output]));
    return Object.fromEntries(
      workflow.jobs
        .filter((job) => outputs.has(job.id))
        .map(({ name, id }) => [name, outputs.get(id) ?? null]),
    );
  }
}
