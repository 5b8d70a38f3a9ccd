import type { CollectionDescription } from '../mongo/collection-description.js';
import { moment, text } from '../mongo/collection-description.js';
import type { FindingCode, FindingSubject, Severity } from '../verdict/finding.js';

/** A finding that one of the last looks saw. */
export interface WatchedFinding {
  readonly code: FindingCode;
  readonly about: FindingSubject;
  /** The last text. */
  readonly text: string;
  readonly severity: Severity;
  readonly since?: Date;
  /** How many looks in a row saw it. */
  readonly seen: number;
  /** How many looks in a row saw it as a failure. */
  readonly failing: number;
  /** How many looks in a row did not see it. */
  readonly missed: number;
  /** Severity in the last alert about it. Absent if no alert has told it. */
  readonly told?: Severity;
}

/** The only document of the collection `alerts`: the findings, and which of them alerts have told. */
export interface AlertDocument {
  readonly _id: string;
  /** When somebody looked last, by the database's clock. */
  readonly looked: Date;
  /** Id of that look. A process writes its findings only while its own look is the last one. */
  readonly look: string;
  /** The watched findings, at most 200. */
  readonly findings?: readonly WatchedFinding[];
}

/** The id of the document. */
export const VERDICT_ID = 'verdict';

export const alertsCollection: CollectionDescription = {
  name: 'alerts',
  ours: { _id: text, looked: moment },
  indexes: [],
  formerIndexes: [],
};
