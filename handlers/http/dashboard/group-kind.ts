import { batchesPath, batchPath, workflowPath, workflowsPath } from './paths.js';

/** The names of one kind of groups, and the paths of its pages. */
export interface GroupKindShown {
  readonly one: 'batch' | 'workflow';
  readonly many: 'batches' | 'workflows';
  readonly title: string;
  /** The method of the processor that adds a group. */
  readonly method: string;
  readonly path: typeof batchesPath | typeof workflowsPath;
  readonly pathOf: (id: string) => string;
}

export const batchKind: GroupKindShown = {
  one: 'batch',
  many: 'batches',
  title: 'Batches',
  method: 'processor.addBatch',
  path: batchesPath,
  pathOf: batchPath,
};

export const workflowKind: GroupKindShown = {
  one: 'workflow',
  many: 'workflows',
  title: 'Workflows',
  method: 'processor.addWorkflow',
  path: workflowsPath,
  pathOf: workflowPath,
};
