import type { JobDocument, SettledStatus } from './job.js';

/** Fields of a settled job that tell which jobs above and below it need attention. */
export type InTree = Pick<JobDocument, 'group' | 'parents' | 'steps'>;

/** The fields of an `InTree`. */
export const treeFields = { group: 1, parents: 1, 'steps.children': 1 } as const;

/** A job of a group that was settled. */
export interface SettledMember extends Pick<InTree, 'parents'> {
  readonly id: string;
  readonly group: string;
  readonly status: SettledStatus;
}
