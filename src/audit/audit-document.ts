import type { Role } from '../access/role.js';
import { type CollectionDescription, expiring, moment, text } from '../mongo/collection-description.js';

/**
 * How a change ended. `done`: it was carried out. `refused`: it was not allowed or not possible, so nothing was changed.
 * `failed`: an error occurred, and the change may have been carried out or not.
 */
export type AuditOutcome = 'done' | 'refused' | 'failed';

export const auditOutcomes = ['done', 'refused', 'failed'] as const satisfies readonly AuditOutcome[];

/** A changed field. Values are texts of at most 200 characters. A longer or secret value is absent. */
export interface AuditChange {
  readonly field: string;
  readonly before?: string;
  readonly after?: string;
}

/** A change by a person. It is written once. */
export interface AuditEntry {
  readonly id: string;
  /** When it was recorded, right after the change, by the database's clock. */
  readonly at: Date;
  /** Author of the change: id of the API key, ARN of the AWS identity, or user and machine of the command line. */
  readonly who: string;
  readonly role?: Role;
  /** Way of the change: `api`, `dashboard`, `cli`, `link`, or what the application says. */
  readonly via: string;
  /** Address that the request came from. */
  readonly address?: string;
  /** Name of the operation in the OpenAPI document, such as `retryJob`. */
  readonly action: string;
  /** The changed things, each as a kind, a colon and the id. At most the first 100. */
  readonly targets: readonly string[];
  /** The number of targets. */
  readonly count: number;
  readonly changes: readonly AuditChange[];
  readonly outcome: AuditOutcome;
  /** Code of the problem. Present only if the change was not done. */
  readonly problem?: string;
}

/** A document of the collection `audit`. */
export interface AuditDocument extends Omit<AuditEntry, 'id'> {
  readonly _id: string;
  readonly expireAt: Date;
}

/** Serves the list of all entries, newest first. */
export const byMoment = { name: 'byMoment', key: { at: 1, _id: 1 } } as const;

/** Serves the lists by target, by person, and by both. */
export const byTarget = { name: 'byTarget', key: { targets: 1, at: 1, _id: 1 } } as const;
export const byWho = { name: 'byWho', key: { who: 1, at: 1, _id: 1 } } as const;
export const byTargetAndWho = { name: 'byTargetAndWho', key: { targets: 1, who: 1, at: 1, _id: 1 } } as const;

export const auditCollection: CollectionDescription = {
  name: 'audit',
  ours: { _id: text, at: moment, who: text, action: text, outcome: text },
  indexes: [
    ...[byMoment, byTarget, byWho, byTargetAndWho],
    expiring('expiry', 'expireAt', { who: text, action: text, outcome: text }),
  ],
  formerIndexes: [],
};
