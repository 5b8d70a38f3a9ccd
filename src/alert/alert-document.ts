import type { CollectionDescription } from '../mongo/collection-description.js';
import { moment, text } from '../mongo/collection-description.js';
import type { FindingCode, FindingSubject, Severity } from '../verdict/finding.js';

/** A finding that the last looks saw. */
export interface WatchedFinding {
  readonly code: FindingCode;
  readonly about: FindingSubject;
  /** The last text. */
  readonly text: string;
  readonly severity: Severity;
  readonly since?: Date;
  /** Looks in a row that saw it. */
  readonly seen: number;
  /** Looks in a row that saw it as a failure. */
  readonly failing: number;
  /** Looks in a row that did not see it. */
  readonly missed: number;
  /** How bad it was said to be. Absent until then. */
  readonly told?: Severity;
}

/** The only document of the collection `alerts`: what was found, and what of it was told. */
export interface AlertDocument {
  readonly _id: string;
  /** When somebody looked last, by the database's clock. */
  readonly looked: Date;
  /** Identifies that look. Whoever writes what it found names it. */
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
