import type { Doc } from '../bson/decode.js';
import type { Change } from './modify.js';

/** The place where an operator is applied. */
export interface Place {
  readonly path: string;
  readonly doc: Doc;
  readonly now: Date;
  /** Compiles a `$pull` condition to a test of one element. */
  readonly matcher: (condition: unknown) => (element: unknown) => boolean;
}

/** An update operator for one field. It checks its operand and returns the change. */
export type Operator = (operand: unknown, place: Place) => Change;
